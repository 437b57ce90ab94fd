/**
 * The program under test: the real one, as a child process.
 *
 * Owns: starting it, proving which runtime and adapter answered, its log, what it costs, and that it ends. It must
 * not leave a process behind, and lets no "internal error" pass.
 */

import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import packageJson from "../../../package.json" with { type: "json" };
import { binary, ROOT } from "../../runner/suites.ts";
import { AccessLog, type LogRecord, LogWaiting } from "./access_log.ts";
import { type Combination, commandOf } from "./combinations.ts";
import { temporaryDirectory } from "./origin.ts";
import { Changes, DEADLINE, type Scope } from "./waiting.ts";

export interface ProxyOptions {
  /** The configuration as an object, or as YAML. Without `log` it logs JSON to stdout. */
  readonly config: Readonly<Record<string, unknown>> | string;
  readonly env?: Readonly<Record<string, string>>;
  /** More files, by their paths from the configuration's directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** Behind the file's name on the command line. */
  readonly args?: readonly string[];
  /** Descriptors that it gets as 3, 4, … and takes for passed by systemd. */
  readonly passed?: readonly number[];
  /** It may end by itself, and say what it likes. */
  readonly mayFail?: boolean;
  /** `ulimit -n`, soft and hard. */
  readonly descriptorLimit?: number;
}

/** How the program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** From spawn to the startup lines: three programs may share two cores with others. */
const START_DEADLINE = 30_000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

const running = new Set<Child>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// A test runner that gives up on this file says so with SIGTERM.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));

export class RunningProxy extends LogWaiting {
  readonly combination: Combination;
  /** Where it listens, in the order of the configuration. */
  readonly endpoints: string[] = [];
  /** The directory of its configuration. */
  readonly directory: string;
  readonly #child: Child;
  readonly #changes: Changes;
  #stderr = "";
  #exit: Exit | undefined;
  #failure: unknown;
  #stopping = false;

  constructor(combination: Combination, child: Child, directory: string, json: boolean) {
    const changes = new Changes();
    super(new AccessLog(json, changes), () => this.#assertAlive());
    this.combination = combination;
    this.directory = directory;
    this.#child = child;
    this.#changes = changes;
    running.add(child);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      try {
        this.log.add(text);
      } catch (error) {
        this.#failure ??= error;
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      changes.notify();
    });
    child.on("error", (error) => {
      this.#failure ??= error;
      changes.notify();
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      this.#exit = { code, signal };
      changes.notify();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** The first listener's. */
  get endpoint(): string {
    return this.endpoints[0] ?? "";
  }

  get port(): number {
    return Number(this.endpoint.slice(this.endpoint.lastIndexOf(":") + 1));
  }

  /** The one record of a client's connection. */
  async recordOf(client: { readonly local: string }, deadline = DEADLINE): Promise<LogRecord> {
    const isIts = (record: LogRecord): boolean => (record.peer ?? record.client) === client.local;
    return await this.waitForRecord(isIts, `of ${client.local}`, deadline);
  }

  /** Resident memory, bytes. */
  memory(): number {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1];
    assert.ok(kibibytes, "no VmRSS");
    return Number(kibibytes) * 1024;
  }

  /** Processor time of all threads so far, milliseconds. */
  processorTime(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "latin1");
    // Behind the name in parentheses, utime and stime are the 12th and 13th field; 100 ticks a second on every Linux.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Open descriptors. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Those of them that are ends of pipes. */
  pipes(): number {
    const targets = readdirSync(`/proc/${this.pid}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${this.pid}/fd/${name}`);
      } catch {
        // Closed a moment ago.
        return "";
      }
    });
    return targets.filter((target) => target.startsWith("pipe:")).length;
  }

  async waitForStderr(pattern: RegExp, deadline = DEADLINE): Promise<RegExpExecArray> {
    return await this.#changes.until(
      () => `${pattern} on stderr; it said:\n${this.#stderr}`,
      () => {
        const found = pattern.exec(this.#stderr);
        if (found === null) this.#assertAlive();
        return found ?? undefined;
      },
      deadline,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#stopping = true;
    this.#child.kill(signal);
  }

  /** Sends a signal that is not meant to end it. */
  notify(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Another configuration for the file that it has read; nobody ever sees half of it. */
  rewrite(config: ProxyOptions["config"]): void {
    const path = join(this.directory, CONFIG_FILE);
    writeFileSync(`${path}.new`, configuration(config).text);
    renameSync(`${path}.new`, path);
  }

  /** Rewrites its file and has it read again; the lines that it then says, the first one tells how that went. */
  async reload(config: ProxyOptions["config"]): Promise<string> {
    this.rewrite(config);
    const before = this.#stderr.length;
    this.notify("SIGHUP");
    return await this.#changes.until(
      () => `the end of a reload; it said:\n${this.#stderr}`,
      () => {
        const said = this.#stderr.slice(before);
        if (/^certless: (?:reloaded in|the configuration in force stays)/m.test(said)) return said;
        this.#assertAlive();
        return undefined;
      },
    );
  }

  async waitForExit(deadline = DEADLINE): Promise<Exit> {
    this.#stopping = true;
    return await this.#changes.until(
      () => `the end of the process; it said:\n${this.#stderr}`,
      () => this.#exit,
      deadline,
    );
  }

  async stop(signal: NodeJS.Signals = "SIGTERM", deadline = DEADLINE): Promise<Exit> {
    this.signal(signal);
    return await this.waitForExit(deadline);
  }

  /** Ends it now and says what was wrong with its life, once all tests have had their say. */
  async dispose(mayFail: boolean): Promise<void> {
    const exit = this.#exit;
    this.#child.kill("SIGKILL");
    await this.#changes.until("the end of a killed process", () => this.#exit);
    if (mayFail) return;
    if (this.#failure !== undefined) throw this.#failure;
    if (exit !== undefined && !this.#stopping) throw new Error(`the program ended by itself: ${this.#describe(exit)}`);
    assert.doesNotMatch(this.#stderr, /internal error|\n +at |Error:|panicked/, "stderr");
    const faults = this.log.records.filter((record) => record.reason === "internal_error");
    assert.deepEqual(faults, [], "log records with internal_error");
  }

  /** The startup line and the process itself must agree on who runs. */
  async prove(): Promise<void> {
    const { combination } = this;
    const [, version, runtime, runtimeVersion, adapter] = await this.waitForStderr(
      /^certless (\S+) on (\S+) (\S+), adapter (\S+) \(/m,
      START_DEADLINE,
    );
    assert.equal(version, packageJson.version);
    assert.equal(runtime, combination.runtime, "the runtime that answered");
    assert.equal(runtimeVersion, packageJson.devDependencies[combination.runtime], "its version");
    assert.equal(adapter, combination.adapter, "the adapter that answered");
    assert.equal(readlinkSync(`/proc/${this.pid}/exe`), realpathSync(binary(combination.runtime)), "the process");
    const commandLine = readFileSync(`/proc/${this.pid}/cmdline`, "utf8").split("\0");
    assert.ok(commandLine.includes(MAIN), `${MAIN} is not on its command line`);
  }

  async readEndpoints(count: number): Promise<void> {
    const pattern = /^certless: listening on (\S+): /gm;
    await this.waitForStderr(/^certless: access log: .*\n/m, START_DEADLINE);
    this.endpoints.push(...[...this.#stderr.matchAll(pattern)].map((found) => found[1] ?? ""));
    assert.equal(this.endpoints.length, count, `listeners in:\n${this.#stderr}`);
  }

  #assertAlive(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#exit !== undefined) throw new Error(`the program has ended: ${this.#describe(this.#exit)}`);
  }

  #describe({ code, signal }: Exit): string {
    return `${signal ?? `exit code ${code}`}; it said:\n${this.#stderr}`;
  }
}

const MAIN = "adapters/main.ts";
const CONFIG_FILE = "certless.yaml";

/** Spawns the program; what it says is not looked at. */
export function launch(scope: Scope, combination: Combination, options: ProxyOptions): RunningProxy {
  const directory = temporaryDirectory(scope);
  const file = join(directory, CONFIG_FILE);
  const { text, json } = configuration(options.config);
  writeFileSync(file, text);
  for (const [path, content] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  const [command, args] = commandOf(combination, MAIN);
  const passed = options.passed ?? [];
  const pass = ["sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=${passed.length} exec "$0" "$@"`];
  const more = options.args ?? [];
  const run = [command, ...args, "run", file, "--adapter", combination.adapter, ...more];
  const program = passed.length > 0 ? [...pass, ...run] : run;
  // The shell becomes the program: the process is the same.
  const limited = ["sh", "-c", `ulimit -n ${options.descriptorLimit}; exec "$0" "$@"`, ...program];
  const [executable = "", ...rest] = options.descriptorLimit === undefined ? program : limited;
  const child = spawn(executable, rest, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe", ...passed],
  }) as Child;
  const proxy = new RunningProxy(combination, child, directory, json);
  scope.after(() => proxy.dispose(options.mayFail ?? false));
  return proxy;
}

/** Starts the program and waits until it listens. */
export async function startProxy(scope: Scope, combination: Combination, options: ProxyOptions): Promise<RunningProxy> {
  const proxy = launch(scope, combination, options);
  await proxy.prove();
  await proxy.readEndpoints(configuration(options.config).listeners);
  return proxy;
}

interface Listening {
  readonly listeners?: readonly unknown[];
  readonly log?: { readonly access?: { readonly path?: string; readonly format?: string } };
}

function configuration(config: ProxyOptions["config"]): { text: string; json: boolean; listeners: number } {
  if (typeof config === "string") {
    return {
      text: config,
      json: config.includes("format: json"),
      listeners: config.match(/^ *- address:/gm)?.length ?? 0,
    };
  }
  const whole = { log: { access: { path: "stdout", format: "json" } }, ...config } as Listening;
  const access = whole.log?.access;
  const toStdout = (access?.path ?? "stdout") === "stdout";
  // JSON is YAML.
  return {
    text: JSON.stringify(whole),
    json: toStdout && access?.format === "json",
    listeners: whole.listeners?.length ?? 0,
  };
}
