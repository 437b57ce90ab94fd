import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import type { WorkerEvents, WorkerThread } from "../../../src/host.ts";
import { ControlPlane } from "../../../src/workers/control_plane.ts";
import type { FromWorker, ReloadMessage, StartMessage, ToWorker } from "../../../src/workers/protocol.ts";
import { SimulatedAdapter } from "../proxy/simulated_world.ts";

/** A worker that starts at once, and takes configurations as it is told. */
class Thread implements WorkerThread<ToWorker> {
  readonly got: ToWorker[] = [];
  readonly events: WorkerEvents<FromWorker>;
  answer: FromWorker | undefined = { kind: "reloaded" };

  constructor(events: WorkerEvents<FromWorker>) {
    this.events = events;
  }

  post(message: ToWorker): void {
    this.got.push(message);
    const { answer } = this;
    if (message.kind === "reload" && answer !== undefined) queueMicrotask(() => this.events.message(answer));
  }

  wakeBy(): void {}
  terminate(): void {}

  get start(): StartMessage {
    return this.got[0] as StartMessage;
  }

  get reloads(): ReloadMessage[] {
    return this.got.filter((message) => message.kind === "reload");
  }
}

function cycleOf(listeners: string, upstreams = "{ pool: { servers: [192.0.2.1:443] } }") {
  const text = `listeners: [${listeners}]\nroutes: { a.test: reject }\nupstreams: ${upstreams}\n`;
  const loaded = loadConfig(text, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const { config } = loaded;
  return { config, connectionLimit: 100, limits: undefined, secrets: {} };
}

const A = "{ address: 10.0.0.5:443 }";
const B = "{ address: 10.0.0.5:8443 }";

async function world(startsAtOnce = true) {
  const adapter = new SimulatedAdapter();
  const threads: Thread[] = [];
  const warnings: string[] = [];
  const plane = new ControlPlane({
    ...cycleOf(A),
    count: 2,
    adapter,
    reusePort: true,
    workerAdapter: "simulated",
    ownAddresses: [],
    startWorker: (<In, Out>(events: WorkerEvents<Out>) => {
      const thread = new Thread(events as unknown as WorkerEvents<FromWorker>);
      threads.push(thread);
      const started = { kind: "started", wakeDescriptor: undefined } as const;
      if (startsAtOnce || threads.length <= 2) queueMicrotask(() => thread.events.message(started));
      return thread as unknown as WorkerThread<In>;
    }) as never,
    resolve: async () => [],
    writeLog: () => {},
    warn: (message) => warnings.push(message),
    finished: undefined,
  });
  await plane.start();
  const reload = (cycle: ReturnType<typeof cycleOf>) => {
    plane.board.allot(cycle.config.upstreams.values());
    return plane.reload(cycle, []);
  };
  return { adapter, plane, threads, warnings, reload };
}

describe("control plane: another configuration", () => {
  test("every worker gets it; a port that is open is not tried again, a new one is", async () => {
    const { adapter, plane, threads, reload } = await world();
    adapter.taken = "10.0.0.5:443";
    await reload(cycleOf(`${B}, ${A}`));
    assert.deepEqual(
      plane.endpoints.map((endpoint) => endpoint.kind === "tcp" && endpoint.port),
      [8443, 443],
    );
    for (const { reloads } of threads) assert.deepEqual(reloads[0]!.endpoints, plane.endpoints);
    adapter.taken = "10.0.0.6:1";
    await assert.rejects(reload(cycleOf(`${A}, { address: "10.0.0.6:1" }`)), /10\.0\.0\.6:1/);
    assert.equal(plane.endpoints.length, 2);
    assert.equal(threads[0]!.reloads.length, 1);
  });

  test("where the first worker cannot take it, no other is asked and the former one stays", async () => {
    const { plane, threads, reload } = await world();
    threads[0]!.answer = {
      kind: "reload_failed",
      error: { code: "EUNKNOWN", message: "no luck" },
      endpoint: undefined,
    };
    await assert.rejects(reload(cycleOf(B)), /no luck/);
    assert.equal(threads[1]!.reloads.length, 0);
    assert.equal(plane.endpoints[0]!.kind === "tcp" && plane.endpoints[0]!.port, 443);
  });

  test("a worker that dies while it takes it is told, and its replacement begins with what is in force", async () => {
    const { adapter, threads, reload } = await world();
    threads[0]!.answer = undefined;
    const reloading = reload(cycleOf(B));
    await new Promise((resolve) => setTimeout(resolve));
    threads[0]!.events.exited("a fault");
    await assert.rejects(reloading, /worker 1 ended: a fault/);
    threads[1]!.answer = { kind: "reloaded" };
    await reload(cycleOf(`${A}, ${B}`));
    adapter.clock.run(200);
    assert.equal(threads.length, 3);
    assert.equal(threads[2]!.start.endpoints.length, 2);
    assert.equal(threads[2]!.reloads.length, 0);
  });

  test("a worker that was starting meanwhile gets it once it has started", async () => {
    const { adapter, threads, reload } = await world(false);
    threads[0]!.events.exited("a fault");
    adapter.clock.run(200);
    await reload(cycleOf(`${A}, ${B}`));
    assert.equal(threads[2]!.start.endpoints.length, 1);
    assert.equal(threads[2]!.reloads.length, 0, "it would not hear it");
    threads[2]!.events.message({ kind: "started", wakeDescriptor: undefined });
    assert.equal(threads[2]!.reloads[0]!.endpoints.length, 2);
  });

  test("another worker than the first that cannot take it is told of", async () => {
    const { threads, warnings, reload } = await world();
    threads[1]!.answer = {
      kind: "reload_failed",
      error: { code: "EUNKNOWN", message: "no luck" },
      endpoint: undefined,
    };
    await reload(cycleOf(B));
    assert.deepEqual(warnings, ["worker 2 still has the former configuration: no luck"]);
  });

  test("a port that is free a moment later is waited for", async () => {
    const { adapter, threads, reload } = await world();
    const inUse = { code: "EADDRINUSE", message: "" };
    threads[0]!.answer = { kind: "reload_failed", error: inUse, endpoint: { kind: "tcp", ip: "10.0.0.5", port: 8443 } };
    const reloading = reload(cycleOf(B));
    await new Promise((resolve) => setTimeout(resolve));
    threads[0]!.answer = { kind: "reloaded" };
    adapter.clock.run(adapter.clock.now() + 20);
    await reloading;
    assert.equal(threads[1]!.reloads.length, 1);
  });

  test("a worker that never answers is ended, and another takes its place", async () => {
    const { adapter, threads, reload, warnings } = await world();
    threads[0]!.answer = undefined;
    const reloading = reload(cycleOf(B));
    await new Promise((resolve) => setTimeout(resolve));
    adapter.clock.run(adapter.clock.now() + 30_000);
    await assert.rejects(reloading, /worker 1 ended: it did not take another configuration within 30 s/);
    adapter.clock.run(adapter.clock.now() + 200);
    assert.equal(threads.length, 3);
    assert.match(warnings[0]!, /^worker 1 ended/);
    await reload(cycleOf(`${A}, ${B}`));
  });
});
