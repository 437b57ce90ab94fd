/**
 * The machine as the core asks for it, by the `node:` modules that all three runtimes have.
 *
 * Owns: files, terminals, arguments, signals, limits. Names and logs are in `host/`. No sockets here.
 */

import { randomInt } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { availableParallelism, networkInterfaces } from "node:os";
import process from "node:process";
import { isatty } from "node:tty";
import { domainToASCII } from "node:url";
import { parseArgs } from "node:util";
import pkg from "../package.json" with { type: "json" };
import type { ArgOption, Host, ParsedArgs, Resources, SignalName, StartWorker, Terminal } from "../src/host.ts";
import { writeBlocking } from "./host/blocking_write.ts";
import { requestHttp } from "./host/http_request.ts";
import { serveHttp } from "./host/http_service.ts";
import { openLog } from "./host/log_sink.ts";
import { startProbe } from "./host/probe.ts";
import { createResolver } from "./host/resolver.ts";
import { openScreen } from "./host/screen.ts";
import { runtimeName } from "./select.ts";
import { toIoError } from "./shared/io_error.ts";
import { openSystem } from "./system.ts";

/** Text for people: written at once, and given up where nobody reads it any more. */
class DescriptorTerminal implements Terminal {
  readonly isTerminal: boolean;
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.isTerminal = isatty(descriptor);
  }

  write(text: string): void {
    writeBlocking(this.#descriptor, Buffer.from(text));
  }
}

async function readTextFile(path: string): Promise<string> {
  try {
    return path === "-" ? await readStandardInput() : await readFile(path, "utf8");
  } catch (error) {
    throw toIoError(error);
  }
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    throw toIoError(error);
  }
}

function fileStamp(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.ino} ${found.size} ${found.mtimeMs}`;
}

async function readStandardInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

function parse(args: readonly string[], options: Readonly<Record<string, ArgOption>>): ParsedArgs {
  const { values, positionals } = parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  return { values: values as ParsedArgs["values"], positionals };
}

function interfaceAddresses(): string[] {
  const entries = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...new Set(entries.map(({ address }) => address.replace(/%.*$/, "")))];
}

/** Deno's lets some characters through that no host name has. */
function domainToAscii(name: string): string {
  const ascii = domainToASCII(name);
  return /^[a-z0-9._*-]+$/.test(ascii) ? ascii : "";
}

function onSignal(signal: SignalName, handler: () => void): () => void {
  process.on(signal, handler);
  return () => {
    process.off(signal, handler);
  };
}

/** Linux only: the soft limit, at the time of the call. */
function descriptorLimit(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return found?.[1] === undefined ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

function openDescriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

function resources(): Resources {
  return {
    resident: process.memoryUsage.rss(),
    descriptors: openDescriptors(),
    descriptorLimit: descriptorLimit(),
  };
}

function runtimeVersion(): string {
  const name = runtimeName();
  const versions: Readonly<Record<string, string | undefined>> = process.versions;
  return `${name} ${versions[name] ?? ""}`.trimEnd();
}

export interface HostOptions {
  /** How to start a worker thread; a host without it carries all connections in one thread. */
  readonly startWorker?: StartWorker;
}

/** The machine this process runs on. */
export function createHost({ startWorker }: HostOptions = {}): Host {
  return {
    startWorker,
    parallelism: availableParallelism(),
    runtime: runtimeVersion(),
    version: pkg.version,
    program: process.argv[1],
    env: process.env,
    stdout: new DescriptorTerminal(1),
    stderr: new DescriptorTerminal(2),
    parseArgs: parse,
    readTextFile,
    listDirectory,
    fileStamp,
    openLog,
    createResolver,
    probe: startProbe,
    serveHttp,
    requestHttp,
    openScreen,
    interfaceAddresses,
    domainToAscii,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    onSignal,
    descriptorLimit,
    resources,
    openSystem,
  };
}
