import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Config } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { createLimitsMemory } from "../../../src/limits/limits_memory.ts";
import { createOpenMemory, OpenCount } from "../../../src/limits/open_count.ts";
import { MergedNumbers } from "../../../src/metrics/merged_numbers.ts";
import { Allotments } from "../../../src/upstream/allotments.ts";
import { DataPlane } from "../../../src/workers/data_plane.ts";
import type { FromWorker, StartMessage } from "../../../src/workers/protocol.ts";
import { SimulatedAdapter } from "../proxy/simulated_world.ts";
import { HELLO } from "../session/session_fixture.ts";

const YAML = `
listeners: [{ address: 10.0.0.5:443 }]
routes: { shop.example.test: "origin.example.test:443" }
log: { access: { format: json } }
`;

function configOf(text: string): Config {
  const loaded = loadConfig(text, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  return loaded.config;
}

const START: StartMessage = {
  kind: "start",
  config: configOf(YAML),
  adapter: "simulated",
  endpoints: [{ kind: "tcp", ip: "10.0.0.5", port: 443 }],
  reusePort: true,
  ownAddresses: [],
  secrets: {},
  numbering: { first: 1, step: 1 },
  connectionLimit: 100,
  open: createOpenMemory(2),
  worker: 0,
  limits: undefined,
  board: new Allotments([], 1, { now: () => 0, wallTime: () => 0 }).memory,
  allotments: new Map(),
  places: [],
  records: false,
  metrics: false,
};

async function started(changes: Partial<StartMessage> = {}) {
  const adapter = new SimulatedAdapter();
  const posted: FromWorker[] = [];
  const plane = new DataPlane({
    adapter,
    wakeDescriptor: 7,
    post: (message) => posted.push(message),
  });
  const serves = await plane.start(structuredClone({ ...START, ...changes }));
  const of = <Kind extends FromWorker["kind"]>(kind: Kind) =>
    posted.filter((message): message is Extract<FromWorker, { kind: Kind }> => message.kind === kind);
  return { adapter, plane, of, serves };
}

describe("data plane", () => {
  test("says that it has started, and by what it is woken", async () => {
    const { of, adapter, serves } = await started();
    assert.equal(serves, true);
    assert.deepEqual(of("started"), [{ kind: "started", wakeDescriptor: 7 }]);
    assert.ok(adapter.listening);
  });

  test("asks for names, and sends its log lines together", async () => {
    const { adapter, plane, of } = await started();
    adapter.relayEnd = () => ({ after: 200, reason: "ended" });
    adapter.client({ kind: "bytes", bytes: HELLO, delay: 1 });
    adapter.client({ kind: "end", delay: 1 });
    adapter.clock.run(10);
    const [question] = of("resolve");
    assert.equal(question?.name, "origin.example.test");
    plane.receive({ kind: "resolved", id: question!.id, answer: ["192.0.2.1"] });
    assert.equal(of("log").length, 0);
    adapter.clock.run();
    const lines = of("log").flatMap(({ lines }) => lines.split("\n"));
    assert.deepEqual(lines.map((line) => JSON.parse(line).reason).sort(), ["client_left", "ok"]);
    assert.deepEqual(
      of("open").map(({ connections }) => connections),
      [1, 0],
    );
  });

  test("records are handed over where they are wanted, and not elsewhere", async () => {
    for (const records of [true, false]) {
      const { adapter, of } = await started({ records });
      adapter.client({ kind: "end", delay: 1 });
      adapter.clock.run();
      const reasons = of("records").flatMap((message) => message.records.map(({ reason }) => reason));
      assert.deepEqual(reasons, records ? ["client_left"] : []);
    }
  });

  test("counts what has ended, each once, and limits clients with the others", async () => {
    const limits = createLimitsMemory({ workers: 2, connectionLimit: 10, perClient: true, random: () => 0.5 });
    const { adapter, of } = await started({
      limits,
      worker: 1,
      config: configOf(`${YAML}limits: { perClient: 1 }\n`),
    });
    for (let i = 0; i < 3; i++) adapter.client({ kind: "end", delay: 100 });
    adapter.clock.run();
    const sums: Record<string, number> = {};
    for (const { counts } of of("counts")) {
      for (const [reason, count] of Object.entries(counts.ended)) sums[reason] = (sums[reason] ?? 0) + count;
    }
    assert.deepEqual(sums, { per_client_limit: 2, client_left: 1 });
  });

  test("tells all numbers where they are wanted, within 50 ms, and the last ones before the end", async () => {
    const { adapter, plane, of } = await started({ metrics: true });
    adapter.client({ kind: "end", delay: 1 });
    adapter.client();
    adapter.clock.run(60);
    const numbers = new MergedNumbers();
    const merged = (): MergedNumbers => {
      for (const { delta } of of("metrics").splice(told)) numbers.merge(0, structuredClone(delta));
      told = of("metrics").length;
      return numbers;
    };
    let told = 0;
    assert.deepEqual([merged().sums.accepted, numbers.openOf("10.0.0.5:443")], [2, 1]);
    plane.receive({ kind: "drain", timeout: 100 });
    adapter.clock.run(1_000);
    assert.equal(of("drained").length, 1);
    assert.deepEqual([merged().openOf("10.0.0.5:443"), numbers.sums.rejected], [0, 0]);
    const sum = (counts: readonly number[]): number => counts.reduce((all, some) => all + some, 0);
    assert.equal(sum(numbers.ended), 2);
    assert.ok(sum(numbers.worker(0).lag.counts) > 0);
  });

  test("first messages may take what the workers share out", async () => {
    const half = HELLO.subarray(0, HELLO.length - 1);
    const total = 131_072;
    const fitting = (bytes: number) => Math.floor(bytes / half.length);
    const clients = 2 * fitting(total);
    const admitted = async (workers: number) => {
      const limits = `limits: { prereadBytes: 1024, prereadTotal: ${total} }`;
      const board = new Allotments([], workers, { now: () => 0, wallTime: () => 0 }).memory;
      const config = configOf(`${YAML}${limits}\n`);
      const { adapter, of } = await started({ board, config, connectionLimit: clients, open: createOpenMemory(1) });
      for (let client = 0; client < clients; client++) adapter.client({ kind: "bytes", bytes: half, delay: 1 });
      adapter.clock.run(1_000);
      const lines = of("log").flatMap((message) => message.lines.split("\n"));
      return clients - lines.filter((line) => line.includes("preread_memory")).length;
    };
    assert.equal(await admitted(1), fitting(total));
    assert.equal(await admitted(2), fitting(total / 2));
    assert.equal(await admitted(256), fitting(1024), "one connection's own limit at least");
  });

  test("limits.connections: who comes while others fill the house waits, and is served when one of theirs has gone", async () => {
    const open = createOpenMemory(2);
    const other = new OpenCount(open, 1);
    const { adapter, plane, of } = await started({ open, connectionLimit: 2 });
    other.enter(2);
    other.enter(2);
    const peer = adapter.client({ kind: "bytes", bytes: HELLO, delay: 1 });
    adapter.clock.run(1_000);
    assert.deepEqual([of("resolve").length, peer.gone], [0, false]);
    assert.match(of("warn")[0]!.message, /limits\.connections reached: 2 connections are open/);
    other.leave();
    assert.ok(other.isAwaited);
    plane.receive({ kind: "room" });
    adapter.clock.run(2_000);
    assert.deepEqual([of("resolve").length, of("room").length, other.isAwaited], [1, 1, true]);
    assert.equal(of("log").length, 0);
  });

  test("an error answers a question, too, and an answer to nothing is nothing", async () => {
    const { adapter, plane, of } = await started();
    plane.receive({ kind: "resolved", id: 99, answer: [] });
    adapter.client({ kind: "bytes", bytes: HELLO, delay: 1 });
    adapter.clock.run(10);
    plane.receive({ kind: "resolved", id: of("resolve")[0]!.id, answer: { code: "ENOTFOUND", message: "" } });
    adapter.clock.run();
    assert.match(of("log")[0]!.lines, /"reason":"resolve_failed"/);
  });

  test("drains: the last lines go first, then the word", async () => {
    const { adapter, plane, of } = await started();
    adapter.client();
    plane.receive({ kind: "drain", timeout: 1_000 });
    assert.ok(!adapter.listening);
    assert.deepEqual(of("draining"), [{ kind: "draining", connections: 1 }]);
    adapter.clock.run(999);
    assert.equal(of("drained").length, 0);
    adapter.clock.run();
    assert.equal(of("drained").length, 1);
    assert.match(of("log")[0]!.lines, /"reason":"drain_timeout"/);
  });

  test("a place that another worker has is passed over", async () => {
    const { adapter, of } = await started({ endpoints: [null] });
    assert.equal(of("started").length, 1);
    assert.ok(!adapter.listening);
  });
});
