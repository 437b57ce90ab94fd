/** A worker thread dies of a fault that escaped everything: its port is free again, and another one serves. */

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { createHost } from "../../adapters/host.ts";
import { whyNoLinux } from "../../adapters/linux/open.ts";
import { runtimeName, selectAdapter } from "../../adapters/select.ts";
import { startThread } from "../../adapters/worker.ts";
import { createProxy } from "../../src/mod.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { until } from "../conformance/harness/waiting.ts";

const HOST = "mortal.example.test";
const MORTAL = new URL("./mortal_worker.ts", import.meta.url).href;
const noLinux = await whyNoLinux();

for (const name of [runtimeName(), "linux"]) {
  const skip = name === "linux" ? (noLinux ?? false) : false;
  test(`${name}: a worker that dies is replaced, and serves at the same port`, { skip }, async (t) => {
    const origin = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
    t.after(() => origin.close());
    await new Promise((listening) => origin.once("listening", listening));
    const { port } = origin.address() as net.AddressInfo;
    const warnings: string[] = [];
    const { adapter, workerAdapter = adapter } = await selectAdapter(name);
    const host = createHost({ startWorker: (events) => startThread(MORTAL, events) });
    const stderr = { isTerminal: false, write: (text: string) => void warnings.push(text) };
    const proxy = await createProxy(
      {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [HOST]: `127.0.0.1:${port}` },
        log: { access: false },
      },
      { adapter, workerAdapter, host: { ...host, stderr } },
    );
    t.after(() => proxy.stop());
    const endpoint = proxy.endpoints[0];
    assert.ok(endpoint?.kind === "tcp");
    assert.equal(await echoed(endpoint.port), true);

    proxy.cut();
    await until("the fault to be told", () => warnings.find((line) => /worker 1 ended \(told to die\)/.test(line)));
    await until("an answer of the new worker", async () => (await echoed(endpoint.port)) || undefined);
    assert.deepEqual(
      warnings.filter((line) => !line.includes("told to die")),
      [],
    );
  });
}

/** Whether a hello comes back through the proxy, within a second. */
function echoed(port: number): Promise<boolean> {
  const hello = helloFor(HOST);
  const client = net.connect(port, "127.0.0.1", () => client.write(hello));
  return new Promise((resolve) => {
    const settle = (answer: boolean): void => {
      resolve(answer);
      client.destroy();
    };
    client.setTimeout(1000, () => settle(false));
    client.once("data", () => settle(true));
    client.on("error", () => settle(false));
    client.on("close", () => settle(false));
  });
}
