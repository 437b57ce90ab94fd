/** What must come back once connections are over: descriptors. Where there is no /proc, the tests skip. */

import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import type { Adapter } from "../../src/adapter.ts";
import { Bench, finished, openDescriptors, until } from "./peers.ts";

const CONNECTIONS = 300;
const skip = existsSync("/proc/self/fd") ? false : "there is no /proc here";

export function resourceContract(adapter: Adapter): void {
  describe(`${adapter.name}: resources`, { skip }, () => {
    test(`${CONNECTIONS} relays, ended in every way, leave no descriptor open`, async () => {
      const bench = new Bench(adapter);
      try {
        const listener = await bench.listen();
        const origin = await bench.server();
        await oneConnection(bench, listener.endpoint, origin, 0);
        const before = openDescriptors();
        for (let i = 0; i < CONNECTIONS; i++) await oneConnection(bench, listener.endpoint, origin, i);
        await until(() => openDescriptors() <= before, `${openDescriptors()} descriptors to become ${before}`);
      } finally {
        bench.close();
      }
    });

    test("sockets that were never relayed leave none either", async () => {
      const bench = new Bench(adapter);
      try {
        const listener = await bench.listen();
        const before = openDescriptors();
        for (let i = 0; i < 100; i++) {
          const peer = await bench.dial(listener.endpoint);
          const socket = await bench.next();
          if (i % 3 === 0) socket.destroy();
          else if (i % 3 === 1) socket.reset();
          else socket.end();
          if (i % 3 === 2) socket.read();
          peer.end();
          peer.destroy();
        }
        await until(() => openDescriptors() <= before, "the descriptors");
      } finally {
        bench.close();
      }
    });
  });
}

/** One relay, over in one of five ways. */
async function oneConnection(
  bench: Bench,
  endpoint: Bench["accepted"][number]["remote"],
  origin: Awaited<ReturnType<Bench["server"]>>,
  round: number,
): Promise<void> {
  const client = await bench.dial(endpoint);
  const socket = await bench.next();
  const toServer = await bench.connect(origin.endpoint);
  const server = await origin.next();
  const joined = bench.join(client, socket, server, toServer, {});
  client.send("question");
  await until(() => server.text === "question", "the question");
  const way = round % 5;
  if (way === 0) client.reset();
  else if (way === 1) server.reset();
  else if (way === 2) joined.relay.cut();
  else client.end();
  if (way >= 3) server.end();
  await finished(joined, way === 4 ? 5 : 0);
  client.destroy();
  server.destroy();
}
