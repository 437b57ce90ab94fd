/** One side's FIN closes one direction: the other goes on, for as long and as much as it likes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, kernelBuffers, MIB, sendBulk, untilStill } from "./harness/bulk.ts";
import { forEachCombination } from "./harness/combinations.ts";
import type { Joined } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { dial } from "./harness/peer.ts";
import { routing, SharedPath } from "./harness/shared_path.ts";
import type { Scope } from "./harness/waiting.ts";

const HOST = "half.example.test";
const LARGE = 16 * MIB;

forEachCombination((combination) => {
  const path = new SharedPath(combination, routing(HOST));
  const joined = (t: Scope): Promise<Joined> => path.join(t, HOST);

  test("the client finishes first; the server then sends 16 MiB", async (t) => {
    const { client, server, hello } = await joined(t);
    client.send("request").finish();
    assert.equal(await server.untilEnd(), "fin");
    assert.deepEqual(server.bytes, Buffer.concat([hello, Buffer.from("request")]));
    assert.equal(client.ending, "open", "the client's FIN closed the other direction too");
    client.count();
    await sendBulk(server, 1, LARGE);
    server.finish();
    assert.equal(await client.untilEnd(), "fin");
    assert.equal(client.digest(), digestOf(1, LARGE));
    const { reason, bytesReceived, bytesSent } = await path.proxy.recordOf(client);
    assert.deepEqual(
      { reason, bytesReceived, bytesSent },
      { reason: "ok", bytesReceived: hello.length + "request".length, bytesSent: LARGE },
    );
  });

  test("the server finishes first; the client then sends 16 MiB", async (t) => {
    const { client, server, hello } = await joined(t);
    server.send("greeting").finish();
    assert.equal(await client.untilEnd(), "fin");
    assert.equal(client.text, "greeting");
    assert.equal(server.ending, "open", "the server's FIN closed the other direction too");
    server.count();
    await sendBulk(client, 2, LARGE);
    client.finish();
    assert.equal(await server.untilEnd(), "fin");
    assert.equal(server.digest(), digestOf(2, LARGE, hello));
    const { reason, bytesReceived, bytesSent } = await path.proxy.recordOf(client);
    assert.deepEqual(
      { reason, bytesReceived, bytesSent },
      { reason: "ok", bytesReceived: hello.length + LARGE, bytesSent: "greeting".length },
    );
  });

  test("both send 16 MiB and finish, neither waiting for the other", async (t) => {
    const { client, server, hello } = await joined(t);
    client.count();
    server.count();
    await Promise.all([
      sendBulk(client, 3, LARGE).then(() => client.finish()),
      sendBulk(server, 4, LARGE).then(() => server.finish()),
    ]);
    assert.deepEqual([await client.untilEnd(), await server.untilEnd()], ["fin", "fin"]);
    assert.equal(server.digest(), digestOf(3, LARGE, hello));
    assert.equal(client.digest(), digestOf(4, LARGE));
    assert.equal((await path.proxy.recordOf(client)).reason, "ok");
  });

  test("a FIN waits behind what a slow reader has not taken yet", async (t) => {
    const { client, server, hello } = await joined(t);
    for (const [sender, reader, seed, head] of [
      [client, server, 5, hello],
      [server, client, 6, Buffer.alloc(0)],
    ] as const) {
      reader.stall().count();
      // More than the kernel can hold: a part of it, and the FIN, wait in the proxy or in front of it.
      const length = kernelBuffers() + LARGE;
      const sent = sendBulk(sender, seed, length).then(() => sender.finish());
      await untilStill([sender]);
      reader.flow();
      await sent;
      assert.equal(await reader.untilEnd(), "fin");
      assert.equal(reader.digest(), digestOf(seed, length, head));
    }
    assert.equal((await path.proxy.recordOf(client)).reason, "ok");
  });

  test("hello and FIN in one go", async (t) => {
    const client = await dial(t, path.proxy.endpoint);
    const hello = helloFor(HOST);
    client.send(hello).finish();
    const server = await path.origin.next();
    assert.equal(await server.untilEnd(), "fin");
    assert.deepEqual(server.bytes, hello);
    assert.equal(client.ending, "open");
    server.send("answer").finish();
    assert.equal(await client.untilEnd(), "fin");
    assert.equal(client.text, "answer");
    assert.equal((await path.proxy.recordOf(client)).reason, "ok");
  });

  test("the server greets and finishes as soon as it accepts", async (t) => {
    const client = await dial(t, path.proxy.endpoint);
    client.send(helloFor(HOST));
    const server = await path.origin.next();
    server.send("bye").finish();
    assert.equal(await client.untilEnd(), "fin");
    assert.equal(client.text, "bye");
    client.send("still here").finish();
    assert.equal(await server.untilEnd(), "fin");
    assert.ok(server.text.endsWith("still here"));
    assert.equal((await path.proxy.recordOf(client)).reason, "ok");
  });

  test("an open direction stays open however long the closed one is closed", async (t) => {
    const { client, server } = await joined(t);
    client.finish();
    await server.untilEnd();
    for (let turn = 0; turn < 5; turn++) {
      server.send(`turn ${turn};`);
      await client.receiveText(`turn ${turn};`);
    }
    server.finish();
    assert.equal(await client.untilEnd(), "fin");
    assert.equal(client.text, "turn 0;turn 1;turn 2;turn 3;turn 4;");
  });
});
