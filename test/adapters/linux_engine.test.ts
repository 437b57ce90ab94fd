/** What the adapter `linux` does beyond the contract: pipes, shortage of descriptors, faults, its clock, other threads. */

import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel, Worker } from "node:worker_threads";
import { EINVAL } from "../../adapters/linux/constants.ts";
import { createLinuxAdapter, createWaker, type LinuxEngine } from "../../adapters/linux/engine.ts";
import type { LinuxOptions } from "../../adapters/linux/parts.ts";
import { PipePool } from "../../adapters/linux/pipes.ts";
import { Timers } from "../../adapters/linux/timers.ts";
import { runInTurns } from "../../adapters/linux/turns.ts";
import { libcOrReason, type SpiedLibc, spyOn } from "./linux_libc.ts";
import { Bench, bytesOf, finished, type Joined, openDescriptors, Recorder, until, untilStill } from "./peers.ts";

const EMFILE = 24;

const real = await libcOrReason();
if (typeof real === "string") test("the linux engine", { skip: real }, () => {});
else engineTests(real);

function engineTests(libc: Exclude<typeof real, string>): void {
  /** A test with an engine of its own, over a libc that counts. */
  const check = (name: string, body: (bench: Bench, engine: LinuxEngine, spy: SpiedLibc) => Promise<void>): void => {
    test(name, () => within({}, body));
  };
  async function within(
    options: LinuxOptions,
    body: (bench: Bench, engine: LinuxEngine, spy: SpiedLibc) => Promise<void>,
  ): Promise<void> {
    const spy = spyOn(libc, ["splice", "accept4", "setsockopt", "read", "epoll_wait", "pipe2", "fcntl"]);
    const engine = createLinuxAdapter(spy.libc, options);
    const stop = runInTurns(engine);
    const bench = new Bench(engine.adapter);
    try {
      await body(bench, engine, spy);
    } finally {
      bench.close();
      await delay(20);
      stop();
      engine.close();
    }
  }

  describe("linux: copying and splicing", () => {
    check(
      "small exchanges are copied, bulk is spliced, and small ones are copied again",
      async (bench, engine, spy) => {
        const { client, server } = await bench.relay();
        for (let i = 1; i <= 20; i++) {
          client.send("question");
          await until(() => server.bytes === i * 8, "the question");
        }
        assert.equal(spy.count("splice"), 0);
        await server.pour(20_000_000, 1);
        await until(() => client.bytes === 20_000_000, "the bulk");
        assert.ok(spy.count("splice") > 20);
        await until(() => engine.pipes.atRest === 1, "the pipe, empty");
        server.send("a");
        await until(() => client.bytes === 20_000_001, "the byte that ends the bulk");
        const before = spy.count("splice");
        server.send("b");
        await until(() => client.bytes === 20_000_002, "the small byte");
        assert.equal(spy.count("splice"), before);
      },
    );

    check("a direction that is looked at is never spliced", async (bench, _, spy) => {
      const joined = await bench.relay({ fromClient: (bytes) => bytes.length, fromServer: () => true });
      await joined.client.pour(5_000_000, 2);
      await joined.server.pour(5_000_000, 3);
      await until(() => joined.client.bytes + joined.server.bytes === 10_000_000, "all bytes");
      assert.equal(spy.count("splice"), 0);
    });

    check("it is spliced once it is not looked at any more", async (bench, _, spy) => {
      let seen = 0;
      const { client, server } = await bench.relay({
        fromServer: (bytes) => {
          seen += bytes.length;
          return seen < 1000;
        },
      });
      await server.pour(10_000_000, 3);
      await until(() => client.bytes === 10_000_000, "all bytes");
      assert.ok(spy.count("splice") > 0);
    });

    check("without pipes everything is copied", async (bench, _, spy) => {
      spy.refuse("pipe2", EMFILE);
      const { client, server } = await bench.relay();
      const sent = await server.pour(10_000_000, 4);
      await until(() => client.bytes === 10_000_000, "all bytes");
      assert.equal(sent.length, 64);
      assert.equal(spy.count("splice"), 0);
    });
  });

  describe("linux: where splice is not known", () => {
    check("bulk is copied, and it is not asked for again", async (bench, engine, spy) => {
      spy.refuse("splice", EINVAL);
      const { client, server } = await bench.relay();
      await server.pour(10_000_000, 4);
      await until(() => client.bytes === 10_000_000, "all bytes");
      assert.deepEqual([spy.count("splice"), engine.pipes.open], [1, 0]);
    });
  });

  describe("linux: pipes", () => {
    /** Bulk to a client that does not read: a pipe stays full. */
    async function stuck(bench: Bench): Promise<Joined> {
      const joined = await bench.relay();
      joined.client.socket.pause();
      void joined.server.offer(50_000_000);
      await untilStill(() => joined.relay.bytesToClient, 100);
      return joined;
    }

    check("one goes back when it is empty, and serves the next", async (bench, engine) => {
      for (let i = 0; i < 3; i++) {
        const { client, server } = await bench.relay();
        await server.pour(5_000_000, i);
        await until(() => client.bytes === 5_000_000, "the bulk");
        await until(() => engine.pipes.atRest === 1, "the pipe, empty");
        assert.equal(engine.pipes.open, 1);
      }
    });

    check("one with bytes in it is closed, not reused", async (bench, engine) => {
      const first = await stuck(bench);
      assert.deepEqual([engine.pipes.open, engine.pipes.atRest], [1, 0]);
      first.relay.cut();
      await finished(first);
      assert.deepEqual([engine.pipes.open, engine.pipes.atRest], [0, 0]);
      const second = await stuck(bench);
      second.client.reset();
      await finished(second);
      assert.deepEqual([engine.pipes.open, engine.pipes.atRest], [0, 0]);
    });

    test("the free list has an end, and descriptors come back", () => {
      const before = openDescriptors();
      const pool = new PipePool(libc, new Timers(() => {}));
      const pipes = Array.from({ length: 100 }, () => pool.take());
      assert.ok(pipes.every((pipe) => pipe !== undefined && pipe.size >= 65_536));
      for (const pipe of pipes) pool.give(pipe!);
      assert.ok(pool.atRest < 100 && pool.open === pool.atRest);
      pool.close();
      assert.deepEqual([pool.open, openDescriptors()], [0, before]);
    });

    test("pipes that nobody needs are closed after a while, those in use are not", () => {
      const looks: (() => void)[] = [];
      const after = (_: number, look: () => void): (() => void) => {
        looks.push(look);
        return () => {};
      };
      const pool = new PipePool(libc, { after });
      const pipes = Array.from({ length: 5 }, () => pool.take()!);
      for (const pipe of pipes.slice(1)) pool.give(pipe);
      looks.shift()?.();
      // One of the four is needed now and then.
      pool.give(pool.take()!);
      looks.shift()?.();
      assert.deepEqual([pool.open, pool.atRest], [2, 1]);
      looks.shift()?.();
      assert.deepEqual([pool.open, pool.atRest, looks.length], [1, 0, 0]);
      pool.give(pipes[0]!);
      assert.equal(looks.length, 1);
      pool.close();
      assert.equal(pool.open, 0);
    });

    test("pipes that are too small are not worth having, and the system is not asked each time", () => {
      const spy = spyOn(libc, ["pipe2", "fcntl"]);
      const pool = new PipePool(spy.libc, new Timers(() => {}));
      spy.refuse("fcntl", 1);
      for (let i = 0; i < 50; i++) assert.equal(pool.take(), undefined);
      assert.deepEqual([pool.open, spy.count("pipe2")], [0, 1]);
    });
  });

  describe("linux: accepting", () => {
    test("without descriptors it waits, tells it once, and goes on by itself", async () => {
      const told: string[] = [];
      await within({}, async (bench, _, spy) => {
        const listener = await bench.listen(undefined, { acceptFailed: (code) => told.push(code) });
        spy.refuse("accept4", EMFILE);
        const began = performance.now();
        await bench.dial(listener.endpoint);
        await until(() => spy.count("accept4") >= 4, "four tries");
        assert.ok(performance.now() - began >= 290, "it waits between two tries");
        assert.deepEqual(told, ["EMFILE"]);
        spy.refuse("accept4", 0);
        await bench.next();
        const tries = spy.count("accept4");
        spy.refuse("accept4", EMFILE);
        await bench.dial(listener.endpoint);
        await until(() => spy.count("accept4") > tries, "the next try");
        listener.pause();
        spy.refuse("accept4", 0);
        await delay(200);
        assert.equal(bench.accepted.length, 0);
        listener.resume();
        await bench.next();
      });
    });

    test("a silent client is accepted in spite of TCP_DEFER_ACCEPT", async () => {
      await within({ deferAccept: 1 }, async (bench) => {
        const listener = await bench.listen();
        const peer = await bench.dial(listener.endpoint);
        peer.send("hello");
        const recorder = new Recorder(await bench.next());
        recorder.socket.read();
        await recorder.saw("received");
        await bench.dial(listener.endpoint);
        await bench.next();
      });
    });
  });

  describe("linux: connecting", () => {
    test("from the source address", async () => {
      await within({}, async (bench) => {
        const listener = await bench.listen();
        await bench.connect(listener.endpoint, { bind: ["::1", "127.0.0.2"] });
        const { remote } = await bench.next();
        assert.equal(remote.kind === "tcp" && remote.ip, "127.0.0.2");
      });
    });

    test("with TCP_FASTOPEN_CONNECT", async () => {
      await within({}, async (bench) => {
        const listener = await bench.listen();
        const socket = await bench.connect(listener.endpoint, { fastOpen: true });
        socket.write(bytesOf("hello"));
        const recorder = new Recorder(await bench.next());
        recorder.socket.read();
        await recorder.saw("received");
      });
    });
  });

  describe("linux: a fault in a handler ends that connection only", () => {
    for (const where of ["accepted", "received", "ended", "closed", "relay"] as const) {
      test(where, async () => {
        const faults: unknown[] = [];
        await within({ fault: (error) => faults.push(error) }, async (bench, engine) => {
          const boom = (): never => {
            throw new Error(where);
          };
          const first = await bench.pair();
          if (where === "accepted") {
            const listener = await engine.adapter.listen({ kind: "tcp", ip: "127.0.0.1", port: 0 }, boom);
            bench.cleanup(() => listener.close());
            const peer = await bench.dial(listener.endpoint);
            await until(() => peer.ended || peer.closed, "the end of the client");
          } else if (where === "relay") {
            const joined = await bench.relay({ fromClient: boom });
            joined.client.send("x");
            assert.equal((await finished(joined)).reason, "client_reset");
          } else {
            first.recorder[where] = boom;
            first.socket.read();
            if (where === "received") first.peer.send("x");
            else if (where === "ended") first.peer.end();
            else first.peer.reset();
            await until(() => faults.length > 0, "the fault");
            if (where !== "closed") await until(() => first.peer.closed || first.peer.ended, "the end of the client");
          }
          assert.deepEqual(
            faults.map((error) => (error as Error).message),
            [where],
          );
          const second = await bench.pair();
          second.peer.send("alive");
          second.socket.read();
          await second.recorder.saw("received");
        });
      });
    }
  });

  describe("linux: clock", () => {
    check("timers come in order, once, unless they are cancelled", async (_, engine) => {
      const { clock } = engine.adapter;
      const order: string[] = [];
      const began = clock.now();
      clock.after(30, () => order.push("c"));
      clock.after(10, () => order.push("a"));
      clock.after(10, () => order.push("b"));
      const cancel = clock.after(20, () => order.push("never"));
      clock.after(15, () => cancel());
      clock.after(60, () => order.push("last"));
      await until(() => order.includes("last"), "the timers");
      assert.ok(clock.now() - began >= 60);
      assert.deepEqual(order, ["a", "b", "c", "last"]);
      assert.ok(Math.abs(clock.wallTime() - Date.now()) < 100);
    });

    check("poll sleeps until the next timer and no longer", async (_, engine) => {
      let rang = false;
      engine.adapter.clock.after(40, () => {
        rang = true;
      });
      const began = performance.now();
      while (!rang) engine.poll(-1);
      const slept = performance.now() - began;
      assert.ok(slept >= 39 && slept < 500, `${slept} ms`);
    });
  });

  describe("linux: in a thread of its own", () => {
    const workers: Worker[] = [];
    after(() => Promise.all(workers.map((worker) => worker.terminate())));

    test("a wake from another thread reaches it, messages and promises too, and it serves", async () => {
      const { port1, port2 } = new MessageChannel();
      const workerData = { port: port2 };
      workers.push(new Worker(new URL("./linux_worker.ts", import.meta.url), { workerData, transferList: [port2] }));
      const [ready] = (await once(port1, "message")) as [{ wakeDescriptor: number; port: number }];
      const wake = createWaker(libc);
      const ask = async (message: unknown): Promise<unknown> => {
        const answer = once(port1, "message");
        port1.postMessage(message);
        wake(ready.wakeDescriptor);
        return ((await answer) as unknown[])[0];
      };
      assert.deepEqual(await ask({ echo: 1 }), { echo: 1 });
      assert.deepEqual(await ask({ promise: 2 }), { promise: 2 });
      for (let i = 0; i < 200; i++) assert.deepEqual(await ask({ echo: i }), { echo: i });
      const net = await import("node:net");
      const socket = net.connect(ready.port, "127.0.0.1");
      socket.write("to the worker");
      const [bytes] = (await once(socket, "data")) as [Buffer];
      assert.equal(bytes.toString(), "to the worker");
      socket.destroy();
      const cpu = process.cpuUsage();
      await delay(200);
      const used = process.cpuUsage(cpu);
      assert.ok(used.user + used.system < 100_000, "it spins while it is idle");
      assert.deepEqual(await ask({ end: true }), { ended: true });
      port1.close();
    });
  });
}
