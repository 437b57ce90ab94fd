/**
 * A process is replaced under load, again and again: how many of the clients' connections failed.
 *
 * Usage: node replace_program.ts ROW CONNECTIONS WORKERS. Prints one line of JSON. A program of its own, so that it can
 * run in a network namespace.
 */

import net from "node:net";
import process from "node:process";
import { COMBINATIONS } from "../conformance/harness/combinations.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { connectOptions } from "../conformance/harness/peer.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, until } from "../conformance/harness/waiting.ts";

const HOST = "replaced.example.test";
const ANSWER = 3000;
/** At once. */
const ABREAST = 48;
const REPLACEMENTS = 3;

export interface Outcome {
  readonly done: number;
  readonly failures: readonly string[];
  readonly replacements: number;
  readonly seconds: number;
  /** What the processes said. */
  readonly stderr: readonly string[];
}

/** Answers each hello with 3000 bytes and FIN. */
function startServer(): Promise<net.Server> {
  const answer = Buffer.alloc(ANSWER, "a");
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  });
  return new Promise((resolve) => server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => resolve(server)));
}

/** Undefined: all came. */
function connectOnce(endpoint: string, hello: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(connectOptions(endpoint), () => socket.write(hello));
    let length = 0;
    const timer = setTimeout(() => socket.destroy(new Error("no answer within 20 s")), 20_000);
    socket.on("data", (bytes) => {
      length += bytes.length;
    });
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(length === ANSWER ? undefined : `${length} bytes came`);
    });
  });
}

class Load {
  done = 0;
  readonly failures: string[] = [];
  readonly #endpoint: string;
  readonly #hello = helloFor(HOST);

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async run(isOver: () => boolean): Promise<void> {
    const one = async (): Promise<void> => {
      while (!isOver()) {
        const failure = await connectOnce(this.#endpoint, this.#hello);
        this.done++;
        if (failure !== undefined) this.failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, one));
  }
}

async function measure(scope: Scope, row: string, connections: number, workers: number): Promise<Outcome> {
  const combination = COMBINATIONS.find(({ name }) => name === row);
  if (combination === undefined) throw new Error(`there is no row ${row}`);
  const server = await startServer();
  scope.after(() => void server.close());
  const { port } = server.address() as net.AddressInfo;
  const configFor = (address: string) => ({
    listeners: [{ address }],
    routes: { [HOST]: `127.0.0.1:${port}` },
    workers,
    log: { access: false },
  });
  const start = (address: string, args: readonly string[]): Promise<RunningProxy> =>
    startProxy(scope, combination, { config: configFor(address), args });
  const processes = [await start("127.0.0.1:0", [])];
  const [first] = processes as [RunningProxy];
  const load = new Load(first.endpoint);
  let replacing = true;
  const began = performance.now();
  const running = load.run(() => !replacing && load.done >= connections);
  for (let i = 1; i <= REPLACEMENTS; i++) {
    const due = (connections * i) / (REPLACEMENTS + 1);
    await until("the load", () => (load.done >= due ? true : undefined), 300_000);
    const former = processes.at(-1)!;
    processes.push(await start(first.endpoint, ["--replace", String(former.pid)]));
    const exit = await former.waitForExit(60_000);
    if (exit.code !== 0) throw new Error(`a replaced process ended with ${JSON.stringify(exit)}`);
  }
  replacing = false;
  await running;
  const seconds = (performance.now() - began) / 1000;
  await processes.at(-1)!.stop();
  const { done, failures } = load;
  return { done, failures, replacements: REPLACEMENTS, seconds, stderr: processes.map(({ stderr }) => stderr) };
}

const tasks: (() => Promise<void> | void)[] = [];
const [row = "", connections = "", workers = "1"] = process.argv.slice(2);
try {
  const outcome = await measure({ after: (task) => tasks.push(task) }, row, Number(connections), Number(workers));
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
} finally {
  for (const task of tasks.reverse()) await task();
}
process.exit(0);
