import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Endpoint } from "../../../src/address.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { newRecord } from "../../../src/connection_record.ts";
import type { WorkerEvents, WorkerThread } from "../../../src/host.ts";
import { ClientTable } from "../../../src/limits/client_table.ts";
import { createLimitsMemory, type LimitsMemory } from "../../../src/limits/limits_memory.ts";
import { Tally } from "../../../src/metrics/tally.ts";
import { Board } from "../../../src/upstream/board.ts";
import type { ControlPlaneParts } from "../../../src/workers/control_parts.ts";
import { ControlPlane } from "../../../src/workers/control_plane.ts";
import type { FromWorker, StartMessage, ToWorker } from "../../../src/workers/protocol.ts";
import { SimulatedAdapter } from "../proxy/simulated_world.ts";

const YAML = `
listeners: [{ address: 10.0.0.5:443 }, { address: "unix:/run/certless.sock" }]
routes: { shop.example.test: pool }
upstreams: { pool: { servers: ["192.0.2.1:443"] } }
limits: { perClient: 1 }
`;

class FakeThread implements WorkerThread<ToWorker> {
  readonly got: ToWorker[] = [];
  readonly events: WorkerEvents<FromWorker>;
  terminated = false;
  woken: number | undefined;

  constructor(events: WorkerEvents<FromWorker>) {
    this.events = events;
  }

  post(message: ToWorker): void {
    this.got.push(message);
  }

  wakeBy(descriptor: number | undefined): void {
    this.woken = descriptor;
  }

  terminate(): void {
    this.terminated = true;
  }

  get start(): StartMessage {
    return this.got[0] as StartMessage;
  }
}

const ANYWHERE: Endpoint = { kind: "tcp", ip: "192.0.2.1", port: 5 };
const STARTED: FromWorker = { kind: "started", wakeDescriptor: 9 };

function world(
  answerStart: (thread: FakeThread) => void = (thread) => thread.events.message(STARTED),
  limits: LimitsMemory | undefined = undefined,
  metrics: ControlPlaneParts["metrics"] = undefined,
) {
  const adapter = new SimulatedAdapter();
  const loaded = loadConfig(YAML, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded);
  const threads: FakeThread[] = [];
  const log: string[] = [];
  const warnings: string[] = [];
  const records: unknown[] = [];
  const plane = new ControlPlane({
    config: loaded.config,
    count: 2,
    adapter,
    reusePort: true,
    workerAdapter: "simulated",
    ownAddresses: ["10.0.0.5"],
    secrets: { "env:P": "s3cret" },
    connectionLimit: 101,
    limits,
    metrics,
    startWorker: (<In, Out>(events: WorkerEvents<Out>) => {
      const thread = new FakeThread(events as unknown as WorkerEvents<FromWorker>);
      threads.push(thread);
      queueMicrotask(() => answerStart(thread));
      return thread as unknown as WorkerThread<In>;
    }) as never,
    resolve: async (name) => {
      if (name === "nope.test") throw { code: "ENOTFOUND", message: "" };
      return ["192.0.2.9"];
    },
    writeLog: (lines) => log.push(lines),
    warn: (message) => warnings.push(message),
    finished: (record) => records.push(record),
  });
  return { adapter, plane, threads, log, warnings, records };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

describe("control plane", () => {
  test("workers share ports and the limit; one alone has the unix path", async () => {
    const { plane, threads } = world();
    await plane.start();
    assert.equal(threads.length, 2);
    const [first, second] = threads.map(({ start }) => start);
    assert.equal(first!.reusePort, true);
    assert.deepEqual([first!.connectionLimit, second!.connectionLimit], [101, 101]);
    assert.equal(first!.open, second!.open);
    assert.deepEqual(first!.endpoints[1], { kind: "unix", path: "/run/certless.sock" });
    assert.deepEqual(second!.endpoints, [first!.endpoints[0], null]);
    assert.equal(threads[0]!.woken, 9);
  });

  test("a worker that does not answer is noticed; one that starts anew is not taken for that", async () => {
    const { plane, threads, adapter } = world();
    await plane.start();
    assert.equal(plane.askWhetherAlive(), true);
    const answer = (thread: FakeThread | undefined): void => {
      const ping = thread!.got.findLast(({ kind }) => kind === "ping") as Extract<ToWorker, { kind: "ping" }>;
      thread!.events.message({ kind: "pong", number: ping.number });
    };
    answer(threads[0]);
    assert.equal(plane.askWhetherAlive(), false);
    answer(threads[0]);
    answer(threads[1]);
    assert.equal(plane.askWhetherAlive(), true);
    answer(threads[0]);
    threads[1]!.events.exited("test");
    assert.equal(plane.askWhetherAlive(), true);
    answer(threads[0]);
    adapter.clock.run(200);
    assert.equal(plane.askWhetherAlive(), true);
  });

  test("answers questions, writes lines, passes warnings on", async () => {
    const { plane, threads, log, warnings, records } = world();
    await plane.start();
    const { events, got } = threads[1]!;
    events.message({ kind: "resolve", id: 5, name: "a.test" });
    events.message({ kind: "resolve", id: 6, name: "nope.test" });
    events.message({ kind: "log", lines: "one\ntwo" });
    events.message({ kind: "warn", message: "careful" });
    const record = newRecord(1, 0, "10.0.0.5:443", "tls", ANYWHERE, ANYWHERE);
    events.message({ kind: "records", records: [record] });
    events.message({ kind: "open", connections: 3 });
    await settled();
    assert.deepEqual(got.slice(1), [
      { kind: "resolved", id: 5, answer: ["192.0.2.9"] },
      { kind: "resolved", id: 6, answer: { code: "ENOTFOUND", message: "" } },
    ]);
    assert.deepEqual([threads[1]!.start.records, records], [true, [record]]);
    assert.deepEqual([log, warnings, plane.openConnections], [["one\ntwo"], ["careful"], 3]);
  });

  test("sums what workers have counted", async () => {
    const { plane, threads } = world();
    await plane.start();
    for (const { events } of threads) {
      events.message({ kind: "counts", counts: { ended: { ok: 2, no_route: 1 }, wouldReject: {} } });
    }
    assert.deepEqual(plane.counts.snapshot, { ended: { ok: 4, no_route: 2 }, wouldReject: {} });
  });

  test("hands on all numbers, and says whose connections are lost", async () => {
    const heard: unknown[] = [];
    const { plane, threads } = world(undefined, undefined, {
      merge: (worker, delta) => void heard.push(["merge", worker, delta]),
      lost: (worker) => void heard.push(["lost", worker]),
    });
    await plane.start();
    assert.ok(threads[0]!.start.metrics);
    const delta = new Tally().take();
    threads[1]!.events.message({ kind: "metrics", delta });
    threads[1]!.events.exited("a fault");
    assert.deepEqual(heard, [
      ["merge", 1, delta],
      ["lost", 1],
    ]);
  });

  test("workers share one memory of clients, and one that is gone has none there any more", async () => {
    const limits = createLimitsMemory({ workers: 2, connectionLimit: 10, perClient: true, random: () => 0.5 });
    const { plane, threads } = world(undefined, limits);
    await plane.start();
    assert.deepEqual(
      threads.map(({ start }) => [start.worker, start.limits]),
      [
        [0, limits],
        [1, limits],
      ],
    );
    const ofFirst = new ClientTable(limits, 0, { perClient: 1, newPerSecond: undefined, burst: 0 });
    assert.equal(ofFirst.enter({ high: -1, low: 7 }, 0, false), "admitted");
    assert.equal(ofFirst.enter({ high: -1, low: 7 }, 0, false), "per_client_limit");
    threads[1]!.events.exited("a fault");
    assert.equal(ofFirst.enter({ high: -1, low: 7 }, 0, false), "per_client_limit");
    threads[0]!.events.exited("a fault");
    assert.equal(ofFirst.enter({ high: -1, low: 7 }, 0, false), "admitted");
  });

  test("who is next in a line is told", async () => {
    const { plane, threads } = world();
    await plane.start();
    threads[0]!.events.message({ kind: "freed", upstream: 3, worker: 1 });
    assert.deepEqual(threads[1]!.got.slice(1), [{ kind: "freed", upstream: 3 }]);
  });

  test("a worker that dies is replaced, later each time; the others go on", async () => {
    const { adapter, plane, threads, warnings } = world();
    await plane.start();
    const board = new Board(threads[0]!.start.board, 0, adapter.clock);
    board.count(0, 1);
    assert.equal(plane.board.board.read(0, "active"), 1);
    threads[0]!.events.exited("a fault");
    assert.equal(plane.board.board.read(0, "active"), 0);
    assert.match(warnings[0]!, /worker 1 ended \(a fault\).*another starts in 100 ms/);
    adapter.clock.run(99);
    assert.equal(threads.length, 2);
    adapter.clock.run(100);
    assert.equal(threads.length, 3);
    assert.deepEqual(threads[2]!.start, threads[0]!.start);
    await settled();
    threads[2]!.events.exited("a fault");
    assert.match(warnings[1]!, /another starts in 200 ms/);
    adapter.clock.run(300);
    await settled();
    assert.equal(threads.length, 4);
    assert.ok(!threads[1]!.terminated);
  });

  test("a replacement drains like the first", async () => {
    const { adapter, plane, threads } = world();
    await plane.start();
    threads[0]!.events.exited("a fault");
    adapter.clock.run(100);
    await settled();
    let stopped = false;
    const stopping = plane
      .stop(1_000, () => {})
      .then(() => {
        stopped = true;
      });
    threads[1]!.events.message({ kind: "drained" });
    await settled();
    assert.ok(!stopped);
    threads[2]!.events.message({ kind: "drained" });
    await stopping;
    assert.ok(threads[1]!.terminated && threads[2]!.terminated);
  });

  test("a worker that cannot start ends them all, with the first one's words", async () => {
    const failed: FromWorker = {
      kind: "failed",
      error: { code: "EACCES", message: "" },
      endpoint: { kind: "unix", path: "/run/x" },
    };
    const { plane, threads, warnings } = world((thread) =>
      thread.events.message(threads.length === 2 ? failed : STARTED),
    );
    await assert.rejects(plane.start(), /Cannot listen on unix:\/run\/x: permission denied/);
    assert.ok(threads.every(({ terminated }) => terminated));
    assert.deepEqual(warnings, []);
  });

  test("how much is left to drain is told once all workers have said it", async () => {
    const { plane, threads } = world();
    await plane.start();
    threads[0]!.events.message({ kind: "open", connections: 9 });
    const told: number[] = [];
    const stopping = plane.stop(1_000, (connections) => told.push(connections));
    threads[0]!.events.message({ kind: "draining", connections: 2 });
    await settled();
    assert.deepEqual(told, []);
    threads[1]!.events.message({ kind: "draining", connections: 3 });
    await settled();
    assert.deepEqual(told, [5]);
    for (const { events } of threads) events.message({ kind: "drained" });
    await stopping;
  });

  test("one that does not drain is ended after the time and some grace", async () => {
    const { adapter, plane, threads } = world();
    await plane.start();
    const stopping = plane.stop(1_000, () => {});
    plane.cut();
    plane.cutServer(3);
    assert.deepEqual(
      threads[0]!.got.slice(1).map(({ kind }) => kind),
      ["drain", "cut", "cut_server"],
    );
    adapter.clock.run(6_000);
    await stopping;
    assert.ok(threads.every(({ terminated }) => terminated));
  });
});
