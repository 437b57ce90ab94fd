/** The adapter of the runtime that runs this file keeps the contract of `src/adapter.ts`, over real loopback sockets. */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { ADAPTER_NAMES, runtimeName, selectAdapter } from "../../adapters/select.ts";
import { relayContract } from "./relay_contract.ts";
import { resourceContract } from "./resource_contract.ts";
import { socketContract } from "./socket_contract.ts";

const { adapter } = await selectAdapter("auto");

test("the adapter is that of the runtime that runs", async () => {
  const versions = process.versions as Readonly<Record<string, string | undefined>>;
  const expected = versions.bun !== undefined ? "bun" : versions.deno !== undefined ? "deno" : "node";
  assert.equal(adapter.name, expected);
  assert.equal(runtimeName(), expected);
  assert.equal((await selectAdapter(expected)).adapter, adapter);
});

test("another runtime's adapter and an unknown one are refused", async () => {
  for (const name of ADAPTER_NAMES) {
    // `linux` is no runtime's own: it runs wherever libc can be called.
    if (name !== "auto" && name !== "linux" && name !== adapter.name)
      await assert.rejects(selectAdapter(name), /Cannot use the adapter/);
  }
  await assert.rejects(selectAdapter("toString"), /Cannot use the adapter "toString": there are auto, /);
});

socketContract(adapter);
relayContract(adapter);
resourceContract(adapter);
