/** The adapter `linux` keeps the contract of `src/adapter.ts`, driven in this thread, on the runtime that runs this file. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createLinuxAdapter } from "../../adapters/linux/engine.ts";
import { runInTurns } from "../../adapters/linux/turns.ts";
import { runtimeName, selectAdapter } from "../../adapters/select.ts";
import { libcOrReason } from "./linux_libc.ts";
import { relayContract } from "./relay_contract.ts";
import { resourceContract } from "./resource_contract.ts";
import { socketContract } from "./socket_contract.ts";

const libc = await libcOrReason();
if (typeof libc === "string") {
  test("the linux adapter", { skip: libc }, () => {});
} else {
  const engine = createLinuxAdapter(libc);
  const stop = runInTurns(engine);
  after(() => {
    stop();
    engine.close();
  });

  test("it is chosen by its name, with this runtime's sockets for the main thread", async () => {
    const selected = await selectAdapter("linux");
    assert.equal(selected.workerAdapter?.name, "linux");
    assert.equal(selected.adapter.name, runtimeName());
  });

  test("it is what auto comes to", async () => {
    const { workerAdapter, why } = await selectAdapter("auto");
    assert.deepEqual([workerAdapter?.name, why], ["linux", "the fastest here"]);
  });

  socketContract(engine.adapter);
  relayContract(engine.adapter);
  resourceContract(engine.adapter);
}
