import assert from "node:assert/strict";
import { test } from "node:test";
import type { Adapter } from "../../../src/adapter.ts";
import { type Endpoint, parseEndpoint } from "../../../src/address.ts";
import { InheritedSockets } from "../../../src/service/inherited_sockets.ts";
import { StartError } from "../../../src/start_error.ts";

const at = (text: string): Endpoint => parseEndpoint(text)!;
const LISTENERS = [{ endpoint: at("0.0.0.0:443") }, { endpoint: at("[::]:80") }, { endpoint: at("unix:/run/a") }];

class Descriptors {
  readonly closed: number[] = [];
  readonly duplicates: boolean;
  #next = 100;

  constructor(duplicates = true) {
    this.duplicates = duplicates;
  }

  duplicate(): number | undefined {
    return this.duplicates ? this.#next++ : undefined;
  }

  closeDescriptor(descriptor: number): void {
    this.closed.push(descriptor);
  }
}

const adapterThat = (adopts: boolean): Pick<Adapter, "name" | "capabilities"> => ({
  name: "test",
  capabilities: { adopts } as Adapter["capabilities"],
});

function inherit(
  sockets: readonly (readonly [string, number | undefined])[],
  system = new Descriptors(),
  join = false,
) {
  const passed = sockets.map(([text, descriptor]) => ({ endpoint: at(text), descriptor }));
  return new InheritedSockets(LISTENERS, { from: "systemd", sockets: passed, system, join }, adapterThat(true));
}

test("sockets are found by address, whatever their order", () => {
  const inherited = inherit([
    ["unix:/run/a", 3],
    ["0.0.0.0:443", 4],
  ]);
  assert.deepEqual(
    LISTENERS.map(({ endpoint }) => inherited.has(endpoint)),
    [true, false, true],
  );
  assert.deepEqual(inherited.share(0, 1), [
    ["unix:/run/a", [100]],
    ["0.0.0.0:443", [101]],
  ]);
});

test("each worker has its own where there are enough, several of them where there are more", () => {
  const inherited = inherit([
    ["0.0.0.0:443", 3],
    ["0.0.0.0:443", 4],
    ["0.0.0.0:443", 5],
  ]);
  assert.deepEqual(inherited.share(0, 2)[0]?.[1].length, 2);
  assert.deepEqual(inherited.share(1, 2)[0]?.[1].length, 1);
});

test("one socket is shared by duplicates, and where there are none, refused", () => {
  const inherited = inherit([["0.0.0.0:443", 3]]);
  assert.notDeepEqual(inherited.share(0, 2), inherited.share(1, 2));
  const alone = inherit([["0.0.0.0:443", 3]], new Descriptors(false));
  assert.deepEqual(alone.share(0, 1), [["0.0.0.0:443", [3]]]);
  assert.throws(() => alone.share(0, 2), /Cannot share the sockets that systemd passed among 2 workers: .*workers: 1/);
});

test("a stray socket of systemd's is refused; a replaced process may have more, and they are closed", () => {
  assert.throws(
    () => inherit([["0.0.0.0:8443", 3]]),
    (error) => error instanceof StartError && error.message.includes("no listener has the address 0.0.0.0:8443;"),
  );
  const system = new Descriptors();
  const inherited = inherit(
    [
      ["0.0.0.0:8443", 3],
      ["0.0.0.0:443", 4],
    ],
    system,
    true,
  );
  assert.deepEqual(system.closed, [3]);
  inherited.close();
  inherited.close();
  assert.deepEqual(system.closed, [3, 4]);
});

test("an adapter that cannot accept from them is named, with a remedy", () => {
  const sockets = [{ endpoint: at("0.0.0.0:443"), descriptor: 3 }];
  assert.throws(
    () =>
      new InheritedSockets(
        LISTENERS,
        { from: "systemd", sockets, system: new Descriptors(), join: false },
        adapterThat(false),
      ),
    /^StartError: Cannot use the sockets that systemd passed: the adapter test has no way to; use the adapter linux or node/,
  );
  // Seen but not taken: its port is joined instead.
  const seen = [{ endpoint: at("0.0.0.0:443"), descriptor: undefined }];
  const joined = new InheritedSockets(
    LISTENERS,
    { from: "process 7", sockets: seen, system: new Descriptors(), join: true },
    adapterThat(false),
  );
  assert.equal(joined.has(at("0.0.0.0:443")), false);
  assert.equal(joined.join, true);
});

test("a listener that a reload takes away gives its sockets back", () => {
  const system = new Descriptors();
  const inherited = inherit(
    [
      ["0.0.0.0:443", 3],
      ["[::]:80", 4],
    ],
    system,
  );
  inherited.keep([at("[::]:80")]);
  assert.deepEqual(system.closed, [3]);
  assert.equal(inherited.has(at("0.0.0.0:443")), false);
  assert.equal(inherited.has(at("[::]:80")), true);
});
