import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { Allotments, SPARE_SLOTS } from "../../../src/upstream/allotments.ts";
import { Board } from "../../../src/upstream/board.ts";
import { CLOCK } from "./upstream_fixture.ts";

function upstreams(yaml: string) {
  const loaded = loadConfig(`listeners: [{ address: 10.0.0.5:443 }]\nroutes: {}\nupstreams: ${yaml}\n`, {
    path: "test",
    toAscii: (name) => name,
  });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  return [...loaded.config.upstreams.values()];
}

const slotsOf = (allotments: Allotments, name: string) => allotments.allotments.get(name)?.servers;

describe("allotments", () => {
  test("each upstream has a group, each server a slot; spare ones only where DNS names servers", () => {
    const allotments = new Allotments(
      upstreams(
        "{ a: { servers: [10.0.0.1:1, 10.0.0.2:1] }, b: { servers: [{ address: 'x.test:1', resolve: true }] } }",
      ),
      2,
      CLOCK,
    );
    const [a, b] = [allotments.allotments.get("a")!, allotments.allotments.get("b")!];
    assert.notEqual(a.group, b.group);
    assert.equal(a.spare.length, 0);
    assert.equal(b.spare.length, SPARE_SLOTS);
    assert.equal(new Set([...a.servers, ...b.servers, ...b.spare]).size, 3 + SPARE_SLOTS);
  });

  test("a server keeps its slot wherever it stands in its upstream; another upstream's is another one", () => {
    const allotments = new Allotments(upstreams("{ a: { servers: [10.0.0.1:1, 10.0.0.2:1, 10.0.0.2:1] } }"), 0, CLOCK);
    const [one, two, twice] = slotsOf(allotments, "a")!;
    const group = allotments.allotments.get("a")!.group;
    allotments.board.count(two!, 1);
    allotments.allot(
      upstreams(
        "{ z: { servers: [10.0.0.1:1] }, a: { servers: [{ address: 10.0.0.2:1, weight: 9 }, 10.0.0.2:1, 10.0.0.9:1] } }",
      ),
    );
    const [first, second, third] = slotsOf(allotments, "a")!;
    assert.deepEqual([first, second, allotments.allotments.get("a")!.group], [two, twice, group]);
    assert.equal(allotments.board.read(two!, "active"), 1);
    assert.ok(![one, two, twice].includes(slotsOf(allotments, "z")![0]) || slotsOf(allotments, "z")![0] === one);
    assert.notEqual(third, slotsOf(allotments, "z")![0]);
  });

  test("a slot that has connections is nobody else's until they have ended, and is clean then", () => {
    const allotments = new Allotments(upstreams("{ a: { servers: [10.0.0.1:1] } }"), 0, CLOCK);
    const [slot] = slotsOf(allotments, "a")!;
    allotments.board.count(slot!, 1);
    allotments.board.write(slot!, "disabled", 1);
    const used = new Set<number>();
    for (let round = 0; round < 300; round++) {
      allotments.allot(upstreams(`{ b${round}: { servers: [10.0.0.1:1] } }`));
      used.add(slotsOf(allotments, `b${round}`)![0]!);
    }
    assert.ok(!used.has(slot!));
    assert.ok(used.size <= 3, "slots are used again");
    assert.equal(allotments.memory.segments.length, 1);
    allotments.board.count(slot!, -1);
    allotments.allot(upstreams("{}"));
    allotments.allot(upstreams("{}"));
    const all = Array.from({ length: 200 }, (_, index) => `10.1.0.${index}:1`).join();
    allotments.allot(upstreams(`{ c: { servers: [${all}] } }`));
    assert.ok(slotsOf(allotments, "c")!.includes(slot!));
    assert.equal(allotments.board.read(slot!, "disabled"), 0);
    assert.equal(new Set(slotsOf(allotments, "c")).size, 200);
    assert.equal(allotments.memory.segments.length, 2);
  });

  test("what did not come into force leaves everything as it was", () => {
    const allotments = new Allotments(upstreams("{ a: { servers: [10.0.0.1:1, 10.0.0.2:1] } }"), 2, CLOCK);
    const before = allotments.allotments.get("a");
    allotments.allot(upstreams("{ b: { servers: [10.0.0.1:1, 10.0.0.3:1] } }"));
    const [b] = [allotments.allotments.get("b")!];
    assert.ok(!before!.servers.some((slot) => b.servers.includes(slot)) && b.group !== before!.group);
    allotments.undo();
    assert.equal(allotments.allotments.get("a"), before);
    assert.equal(allotments.allotments.get("b"), undefined);
  });

  test("threads that opened the board earlier learn of its growth", () => {
    const allotments = new Allotments(upstreams("{ a: { servers: [10.0.0.1:1] } }"), 2, CLOCK);
    const worker = new Board(allotments.memory, 1, CLOCK);
    const many = Array.from({ length: 500 }, (_, index) => `10.1.${index >> 8}.${index & 255}:1`).join();
    allotments.allot(upstreams(`{ a: { servers: [10.0.0.1:1, ${many}] } }`));
    worker.extend(allotments.memory);
    const last = slotsOf(allotments, "a")!.at(-1)!;
    worker.count(last, 1);
    assert.equal(allotments.board.read(last, "active"), 1);
  });
});
