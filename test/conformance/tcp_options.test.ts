/** Options of TCP connections: carried out, or refused at startup by an adapter that cannot. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { join, sendFirst } from "./harness/connection.ts";
import { type Behaviour, gapOf, needs } from "./harness/gaps.ts";
import { helloFor } from "./harness/hello.ts";
import { startOrigin } from "./harness/origin.ts";
import { launch, startProxy } from "./harness/proxy.ts";
import type { Scope } from "./harness/waiting.ts";

const HOST = "options.example.test";

function configOf(tcp: Record<string, unknown>, address: string): Record<string, unknown> {
  return { listeners: [{ address: "127.0.0.1:0" }], routes: { [HOST]: address }, tcp };
}

/** Two connections, one after the other; where the server saw them come from. */
async function carried(t: Scope, combination: Combination, tcp: Record<string, unknown>): Promise<string[]> {
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, combination, { config: configOf(tcp, origin.address) });
  const seen: string[] = [];
  for (let round = 0; round < 2; round++) {
    const { client, server } = await join(t, proxy, origin, HOST);
    server.send("welcome");
    await client.receiveText("welcome");
    seen.push(server.remote.replace(/:\d+$/, ""));
    client.finish();
    server.finish();
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  }
  return seen;
}

forEachCombination((combination) => {
  const options: readonly [name: string, behaviour: Behaviour, tcp: Record<string, unknown>, from: string][] = [
    ["bind", "binds", { bind: ["::1", "127.0.0.77"] }, "127.0.0.77"],
    ["fastOpen", "tunes_tcp", { fastOpen: true }, "127.0.0.1"],
    ["userTimeout", "tunes_tcp", { userTimeout: "5s" }, "127.0.0.1"],
  ];
  for (const [name, behaviour, tcp, from] of options) {
    test(`tcp.${name}`, needs(combination, behaviour), async (t) => {
      assert.deepEqual(await carried(t, combination, tcp), [from, from]);
    });

    if (gapOf(combination, behaviour) === undefined) continue;
    test(`tcp.${name} is refused where it cannot be`, async (t) => {
      const proxy = launch(t, combination, { config: configOf(tcp, "127.0.0.1:9"), mayFail: true });
      assert.deepEqual(await proxy.waitForExit(), { code: 2, signal: null });
      assert.match(proxy.stderr, new RegExp(`Cannot set tcp\\.${name}: the adapter ${combination.adapter} has no way`));
    });
  }

  test(
    "tcp.bind to an address that this machine does not have: connect_failed",
    needs(combination, "binds"),
    async (t) => {
      const origin = await startOrigin(t);
      const proxy = await startProxy(t, combination, { config: configOf({ bind: ["192.0.2.77"] }, origin.address) });
      const client = await sendFirst(t, proxy.endpoint, helloFor(HOST));
      const { reason, upstream } = await proxy.recordOf(client);
      assert.deepEqual([reason, upstream], ["connect_failed", [`${origin.address} (EADDRNOTAVAIL)`]]);
    },
  );
});
