/**
 * One proxy, started by hand on its core and ended for certain.
 *
 * Owns: its processes. It speaks to none of them but by signals.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import type { Command } from "./contenders.ts";
import { processTree } from "./cpu.ts";

const LAST_WORDS = 2048;
/** All that run, so that an end by a signal ends them as well. */
const running = new Set<ProxyProcess>();

export class ProxyProcess {
  readonly #child: ChildProcess;
  #output = "";

  /** Starts `command` on `core` alone, without a shell, a service or a terminal. */
  constructor(command: Command, core: number, directory: string) {
    const args = ["-c", String(core), command.file, ...command.args];
    this.#child = spawn("taskset", args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (data: Buffer) => {
        this.#output = (this.#output + data.toString("latin1")).slice(-LAST_WORDS);
      });
    }
    this.#child.on("error", (error) => {
      this.#output += error.message;
    });
    running.add(this);
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The last line it wrote: mostly why it ended. */
  get lastLine(): string {
    return this.#output.trim().split("\n").at(-1) || "it ended without a word";
  }

  /** It and its descendants (taskset has become the proxy by then). */
  pids(): number[] {
    return this.#child.pid === undefined ? [] : processTree(this.#child.pid);
  }

  async stop(): Promise<void> {
    this.kill();
    if (!this.hasEnded) await once(this.#child, "exit");
  }

  /** Ends all of it at once. Not by SIGTERM: a proxy with open connections would drain, and there is nothing to keep. */
  kill(): void {
    running.delete(this);
    if (this.hasEnded) return;
    for (const pid of this.pids()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself in between.
      }
    }
  }
}

/** Ends every proxy that still runs. */
export function killAll(): void {
  for (const proxy of running) proxy.kill();
}
