/** A server on this machine that speaks before the loop has looked: what it said is not lost. */

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { createLinuxAdapter } from "../../adapters/linux/engine.ts";
import type { Socket } from "../../src/adapter.ts";
import { libcOrReason } from "./linux_libc.ts";

const libc = await libcOrReason();

test("linux: a greeting that came before the first look", {
  skip: typeof libc === "string" ? libc : false,
}, async () => {
  assert.ok(typeof libc !== "string");
  const engine = createLinuxAdapter(libc);
  const said: Promise<unknown>[] = [];
  const server = net.createServer((peer) => said.push(new Promise((resolve) => peer.write("hello", resolve))));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as net.AddressInfo;
  const accepted = new Promise((resolve) => server.once("connection", resolve));
  let got = "";
  let socket: Socket | undefined;
  engine.adapter.connect(
    { kind: "tcp", ip: "127.0.0.1", port },
    {
      connected(opened) {
        socket = opened;
        opened.handlers = {
          received: (bytes) => {
            got += new TextDecoder().decode(bytes);
          },
          ended() {},
          closed() {},
        };
        opened.read();
      },
      failed: (error) => assert.fail(error.message),
    },
  );
  await accepted;
  await Promise.all(said);
  for (let look = 0; look < 50 && got === ""; look++) engine.poll(20);
  assert.equal(got, "hello");
  socket?.destroy();
  engine.poll(0);
  engine.close();
  server.close();
});
