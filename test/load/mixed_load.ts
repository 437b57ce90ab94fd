/**
 * Mixed load for minutes: many kinds of connections at once, each of which checks what it gets.
 *
 * Owns: the kinds, and how many of each go on at the same time. It judges connections; what the program holds
 * afterwards is the test's matter.
 */

import assert from "node:assert/strict";
import { digestOf, MIB, sendBulk } from "../conformance/harness/bulk.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { echo, type Origin, startOrigin } from "../conformance/harness/origin.ts";
import { dial, type Peer } from "../conformance/harness/peer.ts";
import type { RunningProxy } from "../conformance/harness/proxy.ts";
import { pause, type Scope } from "../conformance/harness/waiting.ts";

/** Milliseconds for one connection, on a machine that is busy with all the others. */
const PATIENCE = 60_000;
const ANSWER = 3000;
const BULK = 8 * MIB;

interface Kind {
  readonly name: string;
  /** How many go on at once. */
  readonly abreast: number;
  /** What its server does with each connection. */
  readonly serve: (server: Peer) => void;
  /** One connection, from connect to end. */
  readonly act: (client: Peer, hello: Uint8Array, turn: number) => Promise<void>;
  /** With what it may be logged. */
  readonly reasons: readonly string[];
}

/** Once the client has said more than nothing. */
function whenSpokenTo(server: Peer, act: () => void): void {
  server.socket.once("data", act);
}

const hostOf = (name: string): string => `${name.replaceAll(" ", "-")}.soak.test`;

const KINDS: readonly Kind[] = [
  {
    name: "bulk both ways",
    abreast: 3,
    serve: echo,
    async act(client, hello, turn) {
      client.count();
      await sendBulk(client, (turn % 4) + 1, BULK);
      client.finish();
      assert.equal(await client.untilEnd(PATIENCE), "fin");
      assert.equal(client.digest(), digestOf((turn % 4) + 1, BULK, hello));
    },
    reasons: ["ok"],
  },
  {
    name: "short",
    abreast: 12,
    serve: (server) => whenSpokenTo(server, () => server.send("a".repeat(ANSWER)).finish()),
    async act(client) {
      assert.equal(await client.untilEnd(PATIENCE), "fin");
      assert.equal(client.length, ANSWER);
      client.finish();
    },
    reasons: ["ok"],
  },
  {
    name: "idle",
    abreast: 100,
    serve: echo,
    async act(client, hello, turn) {
      await client.receive(hello.length, PATIENCE);
      await pause(5000 + (turn % 10) * 500);
      await client.send("still there").receiveText("still there", PATIENCE);
      client.finish();
      await client.untilEnd(PATIENCE);
    },
    reasons: ["ok"],
  },
  {
    name: "client resets",
    abreast: 4,
    serve: echo,
    async act(client, hello) {
      await client.receive(hello.length, PATIENCE);
      void sendBulk(client, 9, MIB);
      await pause(5);
      client.reset();
    },
    reasons: ["client_reset"],
  },
  {
    name: "server resets",
    abreast: 4,
    serve: (server) => whenSpokenTo(server, () => server.reset()),
    act: async (client) => void (await client.untilEnd(PATIENCE)),
    reasons: ["server_reset"],
  },
  {
    name: "half close",
    abreast: 6,
    serve: (server) => server.socket.once("end", () => void sendBulk(server, 5, MIB).then(() => server.finish())),
    async act(client) {
      client.count().finish();
      assert.equal(await client.untilEnd(PATIENCE), "fin");
      assert.equal(client.digest(), digestOf(5, MIB));
    },
    reasons: ["ok"],
  },
  {
    name: "stalled reader",
    abreast: 4,
    serve: (server) => whenSpokenTo(server, () => void sendBulk(server, 6, 2 * BULK).then(() => server.finish())),
    async act(client, _, turn) {
      client.stall();
      await pause(1500);
      if (turn % 2 === 0) {
        client.reset();
        return;
      }
      client.count().flow();
      assert.equal(await client.untilEnd(PATIENCE), "fin");
      assert.equal(client.digest(), digestOf(6, 2 * BULK));
      client.finish();
    },
    reasons: ["ok", "client_reset"],
  },
];

/** Routes to the servers of all kinds. */
export async function soakRoutes(scope: Scope): Promise<Record<string, string>> {
  const origins = await Promise.all(
    KINDS.map(async ({ name, serve }) => {
      const accept = (server: Peer, origin: Origin): void => {
        // Whoever has served millions must not remember them all.
        origin.peers.length = 0;
        if (serve !== echo) server.count();
        serve(server);
      };
      return [hostOf(name), (await startOrigin(scope, { accept })).address] as const;
    }),
  );
  return Object.fromEntries(origins);
}

/** The load, for `duration` milliseconds. Resolves when every connection has ended; says how many of each kind there were. */
export async function soak(proxy: RunningProxy, duration: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const end = performance.now() + duration;
  const lane = async (kind: Kind): Promise<void> => {
    while (performance.now() < end) {
      const turn = counts.get(kind.name) ?? 0;
      counts.set(kind.name, turn + 1);
      const client = await dial(NO_SCOPE, proxy.endpoint);
      const hello = helloFor(hostOf(kind.name));
      await kind.act(client.send(hello), hello, turn);
      if (!client.closed) await client.untilClosed(PATIENCE);
      const record = await proxy.recordOf(client, PATIENCE);
      assert.ok(kind.reasons.includes(record.reason), `${kind.name}: logged as ${record.reason}`);
      proxy.log.forget(record);
    }
  };
  await Promise.all(KINDS.flatMap((kind) => Array.from({ length: kind.abreast }, () => lane(kind))));
  assert.deepEqual(proxy.log.records, [], "lines of nobody's connection, or second ones");
  return counts;
}

/** Each connection sees to its own end. */
const NO_SCOPE: Scope = { after() {} };
