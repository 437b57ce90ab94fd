/** The contract of listeners, connects and single sockets. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Adapter, Socket } from "../../src/adapter.ts";
import type { Endpoint } from "../../src/address.ts";
import type { IoError } from "../../src/errors.ts";
import { Bench, bytesOf, openDescriptors, Recorder, until, untilStill } from "./peers.ts";

/** A path for a `unix:` socket in a directory of its own. */
function unixPath(bench: Bench): string {
  const directory = mkdtempSync(join(tmpdir(), "certless-"));
  bench.cleanup(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "a.sock");
}

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.equal(typeof (error as IoError).message, "string");
    return (error as IoError).code;
  }
  return "no failure";
}

/** A port that answers nothing: its backlog is full. */
async function deafPort(bench: Bench): Promise<Endpoint> {
  const script =
    "const s=require('net').createServer();s.listen({host:'127.0.0.1',port:0,backlog:1},()=>{" +
    "process.stdout.write(String(s.address().port));Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),0,0,60000)})";
  const node = join(import.meta.dirname, "../../node_modules/.bin/node");
  const child = spawn(node, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  bench.cleanup(() => child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  await until(() => text !== "", "the deaf server's port");
  const endpoint: Endpoint = { kind: "tcp", ip: "127.0.0.1", port: Number(text) };
  for (let i = 0; i < 4; i++) {
    const filler = net.connect({ host: "127.0.0.1", port: endpoint.port });
    filler.on("error", () => {});
    bench.cleanup(() => filler.destroy());
  }
  await delay(100);
  return endpoint;
}

export function socketContract(adapter: Adapter): void {
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

  describe(`${adapter.name}: listen`, () => {
    check("port 0 is replaced by the port it got, and both ends know who they are", async (bench) => {
      const listener = await bench.listen();
      assert.ok(listener.endpoint.kind === "tcp" && listener.endpoint.port > 0);
      const peer = await bench.dial(listener.endpoint);
      const socket = await bench.next();
      assert.deepEqual(socket.local, listener.endpoint);
      assert.deepEqual(socket.remote, { kind: "tcp", ip: "127.0.0.1", port: peer.socket.localPort });
    });

    check("[::] takes IPv4 too, whose clients are told as IPv4", async (bench) => {
      const listener = await bench.listen({ kind: "tcp", ip: "::", port: 0 });
      assert.ok(listener.endpoint.kind === "tcp");
      assert.equal(listener.endpoint.ip, "::");
      const { port } = listener.endpoint;
      await bench.dial({ kind: "tcp", ip: "127.0.0.1", port });
      const four = await bench.next();
      assert.ok(four.remote.kind === "tcp" && four.local.kind === "tcp");
      assert.deepEqual([four.remote.ip, four.local.ip], ["127.0.0.1", "127.0.0.1"]);
      await bench.dial({ kind: "tcp", ip: "::1", port });
      const six = await bench.next();
      assert.ok(six.remote.kind === "tcp");
      assert.equal(six.remote.ip, "::1");
    });

    check("a busy port and a foreign address have their codes", async (bench) => {
      const listener = await bench.listen();
      assert.equal(await failure(bench.listen(listener.endpoint)), "EADDRINUSE");
      assert.equal(await failure(bench.listen({ kind: "tcp", ip: "192.0.2.77", port: 0 })), "EADDRNOTAVAIL");
    });

    check("after close nobody is accepted, open sockets live on, and the port is free", async (bench) => {
      const listener = await bench.listen();
      const peer = await bench.dial(listener.endpoint);
      const recorder = new Recorder(await bench.next());
      listener.close();
      listener.close();
      await delay(20);
      assert.equal(await failure(bench.connect(listener.endpoint)), "ECONNREFUSED");
      recorder.socket.read();
      peer.send("still here");
      await recorder.saw("received");
      assert.equal(recorder.text, "still here");
      await bench.listen(listener.endpoint);
    });

    check("unix: serves, connects, and removes its file", async (bench) => {
      const path = unixPath(bench);
      const listener = await bench.listen({ kind: "unix", path });
      assert.deepEqual(listener.endpoint, { kind: "unix", path });
      const toServer = new Recorder(await bench.connect({ kind: "unix", path }));
      const accepted = new Recorder(await bench.next());
      assert.deepEqual(toServer.socket.remote, { kind: "unix", path });
      assert.deepEqual(accepted.socket.local, { kind: "unix", path });
      assert.deepEqual(accepted.socket.remote, { kind: "unix", path: "" });
      accepted.socket.read();
      toServer.socket.write(bytesOf("ping"));
      toServer.socket.end();
      await accepted.saw("received");
      accepted.socket.read();
      await accepted.saw("ended");
      assert.equal(accepted.text, "ping");
      toServer.socket.reset();
      accepted.socket.reset();
      await Promise.all([toServer.saw("closed"), accepted.saw("closed")]);
      listener.close();
      await until(() => !existsSync(path), "the removal of the file");
    });

    check(
      "unix: a file that nobody answers on is replaced, one that answers or is no socket is kept",
      async (bench) => {
        const path = unixPath(bench);
        const listener = await bench.listen({ kind: "unix", path });
        assert.equal(await failure(bench.listen({ kind: "unix", path })), "EADDRINUSE");
        listener.close();
        await until(() => !existsSync(path), "the removal of the file");
        staleSocket(path);
        await bench.listen({ kind: "unix", path });
        await bench.dial({ kind: "unix", path });
        await bench.next();
        const plain = `${path}.txt`;
        writeFileSync(plain, "precious");
        assert.equal(await failure(bench.listen({ kind: "unix", path: plain })), "EADDRINUSE");
        assert.ok(existsSync(plain));
      },
    );

    check("pause holds clients in the backlog where it can", async (bench) => {
      const listener = await bench.listen();
      listener.pause();
      await bench.dial(listener.endpoint);
      await bench.dial(listener.endpoint);
      await delay(100);
      assert.equal(bench.accepted.length, adapter.capabilities.pauseAccepts ? 0 : 2);
      listener.resume();
      await until(() => bench.accepted.length === 2, "both clients after resume");
    });
  });

  describe(`${adapter.name}: connect`, () => {
    check("calls back after it returned, and the socket works both ways", async (bench) => {
      const server = await bench.server();
      let returned = false;
      const socket = await new Promise<Socket>((resolve, reject) => {
        adapter.connect(server.endpoint, {
          connected: (open) => {
            bench.cleanup(() => open.reset());
            if (returned) resolve(open);
            else reject(new Error("too early"));
          },
          failed: reject,
        });
        returned = true;
      });
      const peer = await server.next();
      assert.deepEqual(socket.remote, server.endpoint);
      assert.deepEqual(socket.local, { kind: "tcp", ip: "127.0.0.1", port: peer.socket.remotePort });
      const recorder = new Recorder(socket);
      socket.write(bytesOf("question"));
      await until(() => peer.text === "question", "the question");
      peer.send("answer");
      socket.read();
      await recorder.saw("received");
      assert.equal(recorder.text, "answer");
    });

    check("IPv6", async (bench) => {
      const listener = await bench.listen({ kind: "tcp", ip: "::1", port: 0 });
      const socket = await bench.connect(listener.endpoint);
      assert.deepEqual(socket.remote, listener.endpoint);
    });

    check("a refused connect fails, once and after connect returned", async (bench) => {
      const listener = await bench.listen();
      listener.close();
      await delay(20);
      const calls: string[] = [];
      let returned = false;
      for (const endpoint of [listener.endpoint, { kind: "unix", path: unixPath(bench) } as const]) {
        calls.length = 0;
        returned = false;
        adapter.connect(endpoint, {
          connected: () => calls.push("connected"),
          failed: (error) => calls.push(returned ? error.code : "too early"),
        });
        returned = true;
        await until(() => calls.length > 0, "the failure");
        await delay(20);
        assert.deepEqual(calls, [endpoint.kind === "unix" ? "ENOENT" : "ECONNREFUSED"]);
      }
    });

    check("addresses that cannot be connected to fail with a code", async (bench) => {
      const hopeless: Endpoint[] = [
        { kind: "tcp", ip: "255.255.255.255", port: 9 },
        { kind: "tcp", ip: "127.0.0.1", port: 0 },
        { kind: "unix", path: `/tmp/${"x".repeat(200)}` },
      ];
      for (const endpoint of hopeless) assert.match(await failure(bench.connect(endpoint)), /^E[A-Z]+$/);
    });

    check("cancel at once: no callback, and no socket stays", async (bench) => {
      const server = await bench.server();
      const calls: string[] = [];
      const callbacks = { connected: () => calls.push("connected"), failed: () => calls.push("failed") };
      const before = openDescriptors();
      for (let i = 0; i < 20; i++) adapter.connect(server.endpoint, callbacks).cancel();
      const refused = adapter.connect({ kind: "tcp", ip: "127.0.0.1", port: 1 }, callbacks);
      refused.cancel();
      refused.cancel();
      await delay(100);
      await until(() => server.peers.every((peer) => peer.ended || peer.closed), "the end of what had opened");
      for (const peer of server.peers.splice(0)) peer.destroy();
      await until(() => openDescriptors() <= before, "the descriptors");
      assert.deepEqual(calls, []);
    });

    check("cancel after it connected does nothing", async (bench) => {
      const server = await bench.server();
      let socket: Socket | undefined;
      const connecting = adapter.connect(server.endpoint, {
        connected: (open) => {
          bench.cleanup(() => open.reset());
          socket = open;
        },
        failed: () => {},
      });
      await until(() => socket !== undefined, "the connection");
      connecting.cancel();
      socket!.write(bytesOf("alive"));
      const peer = await server.next();
      await until(() => peer.text === "alive", "the bytes");
    });

    check("cancel while nothing answers: no callback, and the descriptor goes", async (bench) => {
      const deaf = await deafPort(bench);
      const before = openDescriptors();
      const calls: string[] = [];
      const callbacks = { connected: () => calls.push("connected"), failed: () => calls.push("failed") };
      const connecting = adapter.connect(deaf, callbacks);
      await delay(150);
      assert.deepEqual(calls, [], "the port answers after all");
      connecting.cancel();
      await delay(50);
      // Bun cannot give up a connect: its descriptor goes once the system has given up.
      if (adapter.name !== "bun") assert.ok(openDescriptors() <= before, "the descriptor stayed");
      assert.deepEqual(calls, []);
    });
  });

  describe(`${adapter.name}: socket`, () => {
    check("one answer for each read, and nothing before it", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      peer.send("one");
      await delay(30);
      assert.deepEqual(recorder.events, []);
      socket.read();
      socket.read();
      await recorder.saw("received");
      peer.send("two");
      await delay(30);
      assert.deepEqual(recorder.events, ["received"]);
      assert.equal(recorder.text, "one");
      socket.read();
      await until(() => recorder.count("received") === 2, "the second chunk");
      assert.equal(recorder.text, "onetwo");
      peer.end();
      await delay(30);
      assert.equal(recorder.count("ended"), 0);
      socket.read();
      await recorder.saw("ended");
      socket.read();
      await delay(30);
      assert.deepEqual(recorder.events, ["received", "received", "ended"]);
    });

    check("a client that sends without being read is stopped", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      socket.read();
      void peer.pour(200_000_000, 1);
      await recorder.saw("received");
      const stuck = await untilStill(() => peer.socket.bytesWritten - peer.socket.writableLength);
      assert.ok(stuck < 150_000_000, `${stuck} bytes were taken`);
      assert.ok(recorder.bytes < 2_000_000, `${recorder.bytes} bytes in one answer`);
      assert.deepEqual(recorder.events, ["received"]);
      socket.reset();
      await recorder.saw("closed");
    });

    check("read from within received", async (bench) => {
      const { peer, recorder } = await bench.pair();
      recorder.greedy = true;
      recorder.socket.read();
      await peer.pour(3_000_000, 2);
      await until(() => recorder.bytes === 3_000_000, "all bytes");
    });

    check("write, end, then the peer's end: closed once, without an error", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      socket.write(bytesOf("bye "));
      socket.write(bytesOf("bye"));
      socket.end();
      socket.write(bytesOf("too late"));
      socket.end();
      await until(() => peer.ended, "FIN");
      assert.equal(peer.text, "bye bye");
      peer.send("last words");
      peer.end();
      socket.read();
      await recorder.saw("received");
      socket.read();
      await recorder.saw("closed");
      await delay(30);
      // Both directions are over with the peer's FIN, so `closed` may stand for `ended`.
      assert.deepEqual(
        recorder.events.filter((name) => name !== "ended"),
        ["received", "closed"],
      );
      assert.equal(recorder.events.at(-1), "closed");
      assert.equal(recorder.error, undefined);
      assert.equal(recorder.text, "last words");
    });

    check("what is written may be overwritten at once by the caller", async (bench) => {
      const { peer, socket } = await bench.pair();
      const bytes = bytesOf("first");
      socket.write(bytes);
      bytes.fill(0x21);
      await until(() => peer.bytes === 5, "the bytes");
      assert.equal(peer.text, "first");
    });

    check("write then destroy: the bytes arrive, then FIN", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      socket.write(bytesOf("reply "));
      socket.write(bytesOf("and goodbye"));
      socket.destroy();
      await recorder.saw("closed");
      await until(() => peer.ended || peer.closed, "FIN");
      assert.equal(peer.text, "reply and goodbye");
      assert.equal(peer.error, undefined);
    });

    for (const how of ["destroy", "reset"] as const) {
      check(`${how}: closed comes once, after the call, and later calls do nothing`, async (bench) => {
        const { peer, socket, recorder } = await bench.pair();
        socket.read();
        socket[how]();
        assert.deepEqual(recorder.events, []);
        socket[how]();
        await recorder.saw("closed");
        socket.read();
        socket.write(bytesOf("x"));
        socket.end();
        socket.destroy();
        socket.reset();
        await until(() => peer.ended || peer.closed, "the client's news");
        await delay(30);
        assert.deepEqual(recorder.events, ["closed"]);
        assert.equal(recorder.error, undefined);
        assert.equal(peer.bytes, 0);
        const reset = how === "reset" && adapter.capabilities.reset;
        assert.equal(peer.error, reset ? "ECONNRESET" : undefined);
      });
    }

    check("reset from within received", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      recorder.received = () => {
        recorder.events.push("received");
        socket.reset();
      };
      socket.read();
      peer.send("x");
      await recorder.saw("closed");
      await delay(20);
      assert.deepEqual(recorder.events, ["received", "closed"]);
    });

    check("a peer's RST closes with ECONNRESET", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      socket.read();
      await delay(10);
      peer.reset();
      await recorder.saw("closed");
      assert.deepEqual(recorder.events, ["closed"]);
      assert.equal(recorder.error?.code, "ECONNRESET");
    });

    check("writing to a peer that is gone closes with an error and nothing worse", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      socket.read();
      peer.destroy();
      await recorder.saw("ended");
      socket.read();
      for (let i = 0; i < 20 && !recorder.events.includes("closed"); i++) {
        socket.write(bytesOf("anyone?"));
        await delay(5);
      }
      socket.end();
      await recorder.saw("closed");
      await delay(20);
      assert.deepEqual(recorder.events, ["ended", "closed"]);
      assert.match(recorder.error?.code ?? "", /^(EPIPE|ECONNRESET)$/);
    });

    check("a peer's RST while much is unsent", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      peer.socket.pause();
      socket.read();
      for (let i = 0; i < 64; i++) socket.write(new Uint8Array(1_000_000));
      await delay(50);
      socket.end();
      peer.reset();
      await recorder.saw("closed");
      await delay(20);
      assert.deepEqual(recorder.events, ["closed"]);
      assert.match(recorder.error?.code ?? "", /^(EPIPE|ECONNRESET)$/);
    });

    check("reset with much unsent and FIN waiting behind it", async (bench) => {
      const { peer, socket, recorder } = await bench.pair();
      peer.socket.pause();
      for (let i = 0; i < 64; i++) socket.write(new Uint8Array(1_000_000));
      socket.end();
      socket.reset();
      await recorder.saw("closed");
      peer.socket.resume();
      await until(() => peer.closed || peer.ended, "the client's news");
      assert.equal(recorder.error, undefined);
    });
  });
}

/** A socket's file whose process is dead. */
function staleSocket(path: string): void {
  const node = join(import.meta.dirname, "../../node_modules/.bin/node");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(node, ["-e", script]);
  assert.ok(lstatSync(path).isSocket());
}
