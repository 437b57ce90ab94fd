import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newRecord } from "../../../src/connection_record.ts";
import type { Reason } from "../../../src/reason.ts";
import { EndedConnections, MOST_ENDED } from "../../../src/workers/ended_connections.ts";
import { type Inspected, inspect } from "../../../src/workers/inspection.ts";
import type { ToWorker } from "../../../src/workers/protocol.ts";
import { Questions } from "../../../src/workers/questions.ts";
import type { AnswerTo, WorkerQuestion } from "../../../src/workers/worker_question.ts";

const LOCAL = { kind: "tcp", ip: "192.0.2.1", port: 443 } as const;

function record(id: number) {
  const peer = { kind: "tcp", ip: `198.51.100.${id % 250}`, port: 1_000 + id } as const;
  const made = newRecord(id, 1_000 + id, "192.0.2.1:443", "tls", peer, LOCAL);
  made.serverName = id % 2 === 0 ? "even.example.test" : "odd.example.test";
  return made;
}

function world(count: number) {
  const aborted: [number, Reason][] = [];
  const connections = Array.from({ length: count }, (_, index) => ({
    session: { record: record(index + 1), member: undefined },
    bytesReceived: 10,
    bytesSent: 20,
    phase: "preread" as const,
    abort: (reason: Reason) => void aborted.push([index + 1, reason]),
  }));
  const ended = new EndedConnections();
  const ask = <Question extends WorkerQuestion>(question: Question) =>
    inspect({ connections } as unknown as Inspected, ended, question) as AnswerTo<Question>;
  return { ask, ended, aborted };
}

describe("inspection", () => {
  test("pages, the newest first, count all that match", () => {
    const { ask } = world(10);
    const page = (offset: number, limit: number, name?: string) => {
      const { total, connections } = ask({ kind: "connections", filter: { name }, offset, limit });
      return [total, ...connections.map(({ id }) => id)];
    };
    assert.deepEqual(page(0, 3), [10, 10, 9, 8]);
    assert.deepEqual(page(8, 5), [10, 2, 1]);
    assert.deepEqual(page(11, 5), [10]);
    assert.deepEqual(page(1, 2, "odd"), [5, 7, 5]);
    const { times, total } = ask({ kind: "accept_times", filter: { client: ".100.4:" }, limit: 5 });
    assert.deepEqual([total, ...times], [1, 1_004]);
  });

  test("one is closed by its number", () => {
    const { ask, aborted } = world(3);
    assert.equal(ask({ kind: "close", id: 2 }), true);
    assert.equal(ask({ kind: "close", id: 9 }), false);
    assert.deepEqual(aborted, [[2, "operator_closed"]]);
  });

  test("of those that have ended the latest are kept", () => {
    const { ask, ended } = world(0);
    for (let id = 1; id <= MOST_ENDED + 5; id++) ended.add(record(id));
    const lines = ask({ kind: "log", filter: {}, limit: MOST_ENDED + 5 });
    assert.deepEqual([lines.length, lines[0]?.id, lines.at(-1)?.id], [MOST_ENDED, MOST_ENDED + 5, 6]);
    assert.equal(
      ask({ kind: "log", filter: { name: "even", reason: "internal_error" }, limit: 2 })[1]?.id,
      MOST_ENDED + 2,
    );
    assert.deepEqual(ask({ kind: "log", filter: { reason: "ok" }, limit: 2 }), []);
    ended.clear();
    assert.deepEqual(ask({ kind: "log", filter: {}, limit: 2 }), []);
  });
});

describe("questions", () => {
  test("each answer goes to its question, and nobody waits for a worker that is gone", async () => {
    const posted: [number, ToWorker][] = [];
    const worker = (index: number, hasServed = true) => ({
      index,
      hasServed,
      thread: { post: (message: ToWorker) => void posted.push([index, message]) },
    });
    const workers = [worker(0), worker(1), worker(2, false), { ...worker(3), thread: undefined }];
    const questions = new Questions();
    const all = questions.ask(workers, { kind: "close", id: 1 }, undefined);
    const one = questions.ask(workers, { kind: "close", id: 2 }, 1);
    const ids = posted.map(([, message]) => (message.kind === "ask" ? message.id : 0));
    assert.deepEqual(
      posted.map(([index]) => index),
      [0, 1, 1],
    );
    questions.answered(ids[2]!, true);
    questions.answered(ids[0]!, false);
    questions.gone(1);
    assert.deepEqual(await one, [{ worker: 1, answer: true }]);
    assert.deepEqual(await all, [{ worker: 0, answer: false }]);
  });
});
