/**
 * The bench's side of its load generator, which is a process of its own on the core that the proxy does not have.
 *
 * Owns: that process and the conversation with it. The load itself is made in `load/`.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { binary } from "../test/runner/suites.ts";
import type { LoadAnswer, LoadRequest, Sample } from "./load/protocol.ts";

/** Milliseconds more than a request says it will take. */
const GRACE = 10_000;

export class Generator {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  #waiting: ((answer: LoadAnswer) => void) | undefined;
  originPort = 0;
  runtime = "";

  private constructor(core: number) {
    const args = ["-c", String(core), binary("bun"), join(import.meta.dirname, "load/main.ts")];
    this.#child = spawn("taskset", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin?.on("error", () => undefined);
    this.#child.on("exit", (code, signal) => this.#waiting?.({ error: `it ended with ${signal ?? code}` }));
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#lines.on("line", (line) => this.#waiting?.(JSON.parse(line) as LoadAnswer));
  }

  /** @throws {Error} when it cannot be started. */
  static async start(core: number): Promise<Generator> {
    const generator = new Generator(core);
    const answer = await generator.#answer(GRACE);
    if (!("ready" in answer)) throw new Error("Cannot start the load generator: it said something else");
    generator.originPort = answer.originPort;
    generator.runtime = answer.runtime;
    return generator;
  }

  /** Nothing more can be measured. */
  get hasEnded(): boolean {
    return this.#child.killed || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Whether a connection came through within `seconds`. */
  async first(port: number, seconds: number): Promise<boolean> {
    const answer = await this.#ask({ do: "first", port, seconds }, seconds);
    return "done" in answer && answer.done;
  }

  /** @throws {Error} when fewer came through. */
  async hold(port: number, connections: number): Promise<void> {
    const answer = await this.#ask({ do: "hold", port, connections, seconds: 10 }, 10);
    const held = "held" in answer ? answer.held : 0;
    if (held < connections) throw new Error(`only ${held} of ${connections} idle connections came through`);
  }

  async release(): Promise<void> {
    await this.#ask({ do: "release" }, 1);
  }

  async measure(request: Omit<Extract<LoadRequest, { do: "measure" }>, "do">): Promise<Sample> {
    const answer = await this.#ask({ do: "measure", ...request }, request.warmUp + request.seconds);
    if (!("sample" in answer)) throw new Error("Cannot measure: the generator said something else");
    return answer.sample;
  }

  kill(): void {
    this.#lines.close();
    this.#child.kill("SIGKILL");
  }

  #ask(request: LoadRequest, seconds: number): Promise<LoadAnswer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#answer(seconds * 1000 + GRACE);
  }

  async #answer(milliseconds: number): Promise<LoadAnswer> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answer = await new Promise<LoadAnswer>((resolve) => {
      timer = setTimeout(() => resolve({ error: "it did not answer in time" }), milliseconds);
      this.#waiting = resolve;
    });
    this.#waiting = undefined;
    clearTimeout(timer);
    if ("error" in answer) {
      // An answer that comes late would be taken for the next one's.
      this.kill();
      throw new Error(`Cannot use the load generator: ${answer.error}`);
    }
    return answer;
  }
}
