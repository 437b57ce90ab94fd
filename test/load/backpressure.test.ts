/** A reader that stops reading stops the sender; what the proxy keeps meanwhile is bounded; nothing is lost. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { digestOf, kernelBuffers, MIB, sendBulk, taken, untilStill } from "../conformance/harness/bulk.ts";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import type { Joined } from "../conformance/harness/connection.ts";
import type { Peer } from "../conformance/harness/peer.ts";
import { routing, SharedPath } from "../conformance/harness/shared_path.ts";
import type { Scope } from "../conformance/harness/waiting.ts";

const HOST = "bulk.example.test";
const CONNECTIONS = 3;
const OFFERED = 256 * MIB;
/** What the issue allows the process to grow by, for each connection. */
const GROWTH = 8 * MIB;
const DEADLINE = 60_000;

interface Flow {
  readonly sender: Peer;
  readonly reader: Peer;
  readonly expected: string;
  readonly sent: Promise<void>;
}

forEachCombination((combination) => {
  const path = new SharedPath(combination, routing(HOST));
  const joined = (t: Scope): Promise<Joined> => path.join(t, HOST);

  before(async () => {
    // What the runtime needs for any transfer at all, it has from here on.
    await warmUp("up");
    await warmUp("down");
  });

  async function warmUp(direction: "up" | "down"): Promise<void> {
    const { client, server } = await joined(path.scope);
    const [sender, reader] = direction === "up" ? [client, server] : [server, client];
    reader.count();
    await sendBulk(sender, 99, 64 * MIB);
    client.finish();
    server.finish();
    await reader.untilEnd(DEADLINE);
  }

  for (const direction of ["up", "down"] as const) {
    test(`${direction === "up" ? "to the server" : "to the client"}`, async (t) => {
      const flows: Flow[] = [];
      for (let index = 0; index < CONNECTIONS; index++) {
        const { client, server, hello } = await joined(t);
        const [sender, reader] = direction === "up" ? [client, server] : [server, client];
        reader.stall().count();
        const expected = digestOf(index, OFFERED, direction === "up" ? hello : undefined);
        flows.push({ sender, reader, expected, sent: Promise.resolve() });
      }
      const before = path.proxy.memory();
      let most = before;
      const all = flows.map((flow, index) => ({
        ...flow,
        sent: sendBulk(flow.sender, index, OFFERED).then(() => {
          flow.sender.finish();
        }),
      }));

      await untilStill(
        all.map(({ sender }) => sender),
        () => {
          most = Math.max(most, path.proxy.memory());
        },
      );
      const passed = all.map(({ sender }) => taken(sender));
      t.diagnostic(`taken, MiB of ${OFFERED / MIB}: ${passed.map((bytes) => (bytes / MIB).toFixed(1)).join(" ")}`);
      t.diagnostic(`grown: ${((most - before) / MIB / CONNECTIONS).toFixed(1)} MiB a connection`);
      for (const bytes of passed)
        assert.ok(bytes < kernelBuffers() + GROWTH, `a stopped reader let ${bytes} bytes through`);
      assert.ok(most - before < GROWTH * CONNECTIONS, `grew by ${(most - before) / MIB} MiB`);

      for (const { reader } of all) reader.flow();
      for (const { reader, sent, expected } of all) {
        await sent;
        assert.equal(await reader.untilEnd(DEADLINE), "fin");
        assert.equal(reader.digest(), expected);
      }
    });
  }

  test("a stopped direction does not stop the other one, nor another connection", async (t) => {
    const stopped = await joined(t);
    stopped.server.stall();
    const sent = sendBulk(stopped.client, 7, 64 * MIB);
    stopped.client.count();
    await sendBulk(stopped.server, 8, 16 * MIB);
    await stopped.client.receive(16 * MIB, DEADLINE);
    const other = await joined(t);
    other.client.send("ping");
    await other.server.receiveText("ping");
    other.server.send("pong");
    await other.client.receiveText("pong");
    stopped.server.count().flow();
    await sent;
    await stopped.server.receive(stopped.hello.length + 64 * MIB, DEADLINE);
    assert.equal(stopped.server.digest(), digestOf(7, 64 * MIB, stopped.hello));
  });
});
