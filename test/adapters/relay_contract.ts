/** The contract of relays. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import process from "node:process";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Adapter } from "../../src/adapter.ts";
import { Bench, bytesOf, finished, type Joined, type Peer, Recorder, until, untilStill } from "./peers.ts";

const BULK = 64 * 1024 * 1024;

function keepHash(peer: Peer): () => string {
  const hash = createHash("sha256");
  peer.hash = hash;
  return () => hash.digest("hex");
}

/** Sends one way without end until it is stopped: bytes that left the sender. */
async function pourUntilStopped(sender: Peer, receiver: Peer): Promise<number> {
  receiver.socket.pause();
  void sender.offer(200_000_000);
  await delay(50);
  return await untilStill(() => sender.socket.bytesWritten - sender.socket.writableLength);
}

async function bothEnded(joined: Joined): Promise<void> {
  joined.client.end();
  joined.server.end();
  assert.deepEqual(await finished(joined), { reason: "ended" });
  await until(() => joined.client.ended && joined.server.ended, "both FINs");
}

export function relayContract(adapter: Adapter): void {
  /** A test with its own bench. */
  const check = (name: string, body: (bench: Bench) => Promise<void>): void => {
    test(name, async () => {
      const bench = new Bench(adapter);
      try {
        await body(bench);
      } finally {
        bench.close();
      }
    });
  };
  const { reset } = adapter.capabilities;

  describe(`${adapter.name}: relay`, () => {
    check("the head first, then both ways; counters are exact", async (bench) => {
      const joined = await bench.relay({ head: bytesOf("HEAD ") });
      const { client, server, relay } = joined;
      client.send("question");
      await until(() => server.text === "HEAD question", "the question");
      server.send("answer");
      await until(() => client.text === "answer", "the answer");
      assert.deepEqual([relay.bytesToServer, relay.bytesToClient], [13, 6]);
      assert.deepEqual(joined.ends, []);
      await bothEnded(joined);
      assert.deepEqual([relay.bytesToServer, relay.bytesToClient], [13, 6]);
    });

    check("what the sockets had read or were reading before the relay is not lost", async (bench) => {
      const { peer: client, socket, recorder } = await bench.pair();
      socket.read();
      client.send("one ");
      await recorder.saw("received");
      socket.read();
      await delay(10);
      const origin = await bench.server();
      const toServer = await bench.connect(origin.endpoint);
      const early = new Recorder(toServer);
      toServer.read();
      const server = await origin.next();
      bench.cleanup(() => server.destroy());
      const joined = bench.join(client, socket, server, toServer, { head: bytesOf("one ") });
      client.send("two");
      server.send("hello");
      await until(() => server.text === "one two" && client.text === "hello", "both texts");
      await bothEnded(joined);
      assert.deepEqual(recorder.events, ["received"]);
      assert.deepEqual(early.events, []);
    });

    check("an end that was told before the relay is passed on, and so is what was written before", async (bench) => {
      const { peer: client, socket, recorder } = await bench.pair();
      socket.read();
      client.end();
      await recorder.saw("ended");
      const origin = await bench.server();
      const toServer = await bench.connect(origin.endpoint);
      toServer.write(bytesOf("early"));
      const server = await origin.next();
      bench.cleanup(() => server.destroy());
      const joined = bench.join(client, socket, server, toServer, {});
      await until(() => server.text === "early" && server.ended, "the bytes and the end");
      server.send("late answer");
      await until(() => client.text === "late answer", "the answer");
      server.end();
      assert.deepEqual(await finished(joined), { reason: "ended" });
    });

    check("both sides end at once, and the relay begins between the two", async (bench) => {
      for (let round = 0; round < 5; round++) {
        const { peer: client, socket } = await bench.pair();
        const origin = await bench.server();
        const toServer = await bench.connect(origin.endpoint);
        const server = await origin.next();
        bench.cleanup(() => server.destroy());
        const joining = new Promise<Joined>((resolve) => {
          const ended = () => resolve(bench.join(client, socket, server, toServer, { head: bytesOf("head") }));
          socket.handlers = { received() {}, ended, closed() {} };
        });
        socket.read();
        client.end();
        server.end();
        const joined = await joining;
        assert.deepEqual(await finished(joined), { reason: "ended" });
        await until(() => client.ended && server.ended, "both FINs");
        assert.equal(server.text, "head");
      }
    });

    check("a socket that closed before the relay began", async (bench) => {
      const { peer: client, socket, recorder } = await bench.pair();
      socket.read();
      client.reset();
      await recorder.saw("closed");
      const origin = await bench.server();
      const toServer = await bench.connect(origin.endpoint);
      const server = await origin.next();
      const joined = bench.join(client, socket, server, toServer, {});
      assert.equal((await finished(joined)).reason, "client_reset");
      await until(() => server.closed || server.ended, "the server's end");
    });

    check("64 MiB each way at once arrive whole", async (bench) => {
      const joined = await bench.relay();
      const { client, server, relay } = joined;
      const got = [keepHash(server), keepHash(client)];
      const sent = await Promise.all([client.pour(BULK, 5), server.pour(BULK, 6)]);
      await bothEnded(joined);
      assert.deepEqual([server.bytes, client.bytes], [BULK, BULK]);
      assert.deepEqual(
        got.map((hash) => hash()),
        sent,
      );
      assert.deepEqual([relay.bytesToServer, relay.bytesToClient], [BULK, BULK]);
    });

    for (const first of ["client", "server"] as const) {
      check(`half-close by the ${first} while much flows to it`, async (bench) => {
        const joined = await bench.relay();
        const [early, late] = first === "client" ? [joined.client, joined.server] : [joined.server, joined.client];
        const got = keepHash(early);
        const pouring = late.pour(BULK / 2, 7);
        await until(() => early.bytes > 100_000, "the flow's beginning");
        early.send("that was all");
        early.end();
        await until(() => late.ended, "the FIN");
        assert.equal(late.text, "that was all");
        assert.equal(early.ended, false);
        const sent = await pouring;
        late.end();
        assert.deepEqual(await finished(joined), { reason: "ended" });
        // The relay is over when the system has the last bytes; the peer may still be reading them.
        await until(() => early.ended, "the other FIN");
        assert.equal(early.bytes, BULK / 2);
        assert.equal(got(), sent);
      });
    }

    for (const [from, to] of [
      ["client", "server"],
      ["server", "client"],
    ] as const) {
      check(`a ${to} that does not read stops the ${from}, and memory stays flat`, async (bench) => {
        const joined = await bench.relay();
        // The peers' and earlier tests' garbage is not the relay's: it goes before and after, so that only what is held counts.
        collectGarbage();
        const before = process.memoryUsage().rss;
        const stopped = await pourUntilStopped(joined[from], joined[to]);
        collectGarbage();
        const grown = process.memoryUsage().rss - before;
        const counted = from === "client" ? joined.relay.bytesToServer : joined.relay.bytesToClient;
        assert.ok(stopped < 150_000_000, `${stopped} bytes were taken from the sender`);
        assert.ok(counted <= stopped);
        assert.ok(grown < 8 * 1024 * 1024, `memory grew by ${grown} bytes`);
        joined[to].socket.resume();
        await until(() => joined[to].bytes === 200_000_000, "the rest after reading again");
        await bothEnded(joined);
      });

      check(`cut while the ${to} does not read`, async (bench) => {
        const joined = await bench.relay();
        await pourUntilStopped(joined[from], joined[to]);
        joined.relay.cut();
        joined.relay.cut();
        assert.deepEqual(await finished(joined), { reason: "cut" });
        joined[to].socket.resume();
        await until(() => joined[from].closed, "the sender's end");
        await until(() => joined[to].closed || joined[to].ended, "the receiver's end");
      });
    }

    for (const side of ["client", "server"] as const) {
      const other = side === "client" ? "server" : "client";
      check(`a ${side}'s RST reaches the ${other}`, async (bench) => {
        const joined = await bench.relay();
        joined[side].send("x");
        joined[other].send("y");
        await until(() => joined[other].text === "x" && joined[side].text === "y", "both ways open");
        joined[side].reset();
        const end = await finished(joined);
        assert.equal(end.reason, `${side}_reset`);
        assert.equal(end.error?.code, "ECONNRESET");
        await until(() => joined[other].closed || joined[other].ended, `the ${other}'s end`);
        assert.equal(joined[other].error, reset ? "ECONNRESET" : undefined);
      });

      check(`a ${side}'s RST while much flows to it`, async (bench) => {
        const joined = await bench.relay();
        const pouring = joined[other].pour(BULK, 8);
        await until(() => joined[side].bytes > 1_000_000, "the flow");
        joined[side].reset();
        const end = await finished(joined);
        assert.equal(end.reason, `${side}_reset`);
        await until(() => joined[other].closed || joined[other].ended, `the ${other}'s end`);
        joined[other].destroy();
        await pouring;
      });
    }

    check("a client that closes in the middle of an answer frees the server", async (bench) => {
      const joined = await bench.relay();
      joined.client.send("give me much");
      const pouring = joined.server.pour(BULK, 9);
      await until(() => joined.client.bytes > 1_000_000, "the flow");
      joined.client.destroy();
      const end = await finished(joined);
      assert.equal(end.reason, "client_reset");
      await until(() => joined.server.closed || joined.server.ended, "the server's end");
      joined.server.destroy();
      await pouring;
    });

    check("a server that answers and closes while the client still sends: the answer arrives", async (bench) => {
      const joined = await bench.relay();
      const { client, server } = joined;
      const pouring = client.pour(BULK, 10);
      await until(() => server.bytes > 1_000_000, "the flow");
      server.socket.end("enough!");
      await until(() => client.text === "enough!" && client.ended, "the answer and FIN");
      server.destroy();
      client.destroy();
      await pouring;
      assert.ok(["ended", "client_reset", "server_reset"].includes((await finished(joined)).reason));
    });

    check("a server that is gone after its answer: the client may finish in peace", async (bench) => {
      const joined = await bench.relay();
      const { client, server } = joined;
      client.send("question");
      await until(() => server.text === "question", "the question");
      server.send("answer");
      server.destroy();
      await until(() => client.ended, "the FIN");
      for (let i = 0; i < 10; i++) {
        client.send("more");
        await delay(5);
      }
      client.end();
      assert.deepEqual(await finished(joined), { reason: "ended" });
      assert.equal(client.text, "answer");
      assert.equal(client.error, undefined);
    });

    check("fromClient lets a part pass and drops the rest", async (bench) => {
      let left = 10;
      const seen: number[] = [];
      const joined = await bench.relay({
        head: bytesOf("H"),
        fromClient: (bytes) => {
          seen.push(bytes.length);
          const pass = Math.min(left, bytes.length);
          left -= pass;
          return pass;
        },
      });
      joined.client.send("0123456");
      await until(() => joined.server.text === "H0123456", "the first part");
      joined.client.send("789abc");
      await until(() => joined.server.text === "H0123456789", "the second part");
      joined.client.send("dropped");
      await until(() => seen.length >= 3, "the third part");
      await delay(20);
      assert.equal(joined.server.text, "H0123456789");
      assert.equal(joined.relay.bytesToServer, 11);
      joined.server.send("fine");
      await until(() => joined.client.text === "fine", "the answer");
      await bothEnded(joined);
    });

    check("fromServer sees what the server sends until it has seen enough", async (bench) => {
      let seen = "";
      const joined = await bench.relay({
        fromServer: (bytes) => {
          seen += Buffer.from(bytes).toString("latin1");
          return seen.length < 5;
        },
      });
      joined.server.send("one");
      await until(() => joined.client.text === "one", "the first part");
      joined.server.send("two");
      await until(() => joined.client.text === "onetwo", "the second part");
      joined.server.send("three");
      await until(() => joined.client.text === "onetwothree", "the third part");
      assert.equal(seen, "onetwo");
      await bothEnded(joined);
    });

    check("cut an idle relay: both ends hear of it", async (bench) => {
      const joined = await bench.relay();
      joined.client.send("x");
      await until(() => joined.server.text === "x", "the flow");
      joined.relay.cut();
      assert.deepEqual(joined.ends, [], "done comes after cut returned");
      assert.deepEqual(await finished(joined), { reason: "cut" });
      for (const peer of [joined.client, joined.server]) {
        await until(() => peer.closed || peer.ended, "the peer's end");
        assert.equal(peer.error, reset ? "ECONNRESET" : undefined);
      }
    });

    check("cut after the end does nothing", async (bench) => {
      const joined = await bench.relay();
      await bothEnded(joined);
      joined.relay.cut();
      await delay(20);
      assert.equal(joined.ends.length, 1);
    });

    check("another adapter's socket is refused", async (bench) => {
      const { socket } = await bench.pair();
      const foreign = { ...socket } as typeof socket;
      const options = { head: new Uint8Array(0) };
      assert.throws(() => adapter.relay(socket, foreign, options, { relayDone() {} }), TypeError);
    });
  });
}

/** Where the runtime lets a program ask for it; elsewhere nothing. */
function collectGarbage(): void {
  (globalThis as { Bun?: { gc(force: boolean): void } }).Bun?.gc(true);
}
