/** The same servers and the same clients, once behind nginx: they must be led to the same servers. */

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Member } from "../../src/upstream/member.ts";
import { greet, startOrigin, temporaryDirectory } from "../conformance/harness/origin.ts";
import { dial, type Peer } from "../conformance/harness/peer.ts";
import type { Scope } from "../conformance/harness/waiting.ts";
import { choice, createUpstream, recordOf } from "../unit/upstream/upstream_fixture.ts";
import { needsPrograms, startServer } from "./tools.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";
const WEIGHTS = [1, 3, 2, 1, 5];
const CLIENTS = Array.from({ length: 300 }, (_, index) => `10.${index % 7}.${index % 64}.${(index * 37) % 251}`);

const skip = existsSync(MODULE) ? needsPrograms("nginx") : { skip: `not installed: ${MODULE}` };

/** Servers that say who they are, and nginx in front of them. */
async function world(t: Scope, method: string) {
  const directory = temporaryDirectory(t);
  const origins = await Promise.all(
    WEIGHTS.map((_, index) =>
      startOrigin(t, { accept: greet(String(index)), ...(index === 4 ? { address: `unix:${directory}/4.sock` } : {}) }),
    ),
  );
  const servers = origins.map(({ address }, index) => `server ${address} weight=${WEIGHTS[index]};`).join("\n");
  const front = join(directory, "front.sock");
  const configuration = join(directory, "nginx.conf");
  writeFileSync(
    configuration,
    `load_module ${MODULE};
daemon off; user root; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 2048; }
stream {
  upstream pool { ${method.replace("$remote_addr", "$proxy_protocol_addr")}\n${servers} }
  server { listen unix:${front} proxy_protocol; proxy_pass pool; }
}`,
  );
  await startServer(t, "nginx", ["-c", configuration, "-p", directory, "-e", join(directory, "error.log")], [front]);
  const list = origins.map(({ address }, index) => `{ address: '${address}', weight: ${WEIGHTS[index]} }`).join(", ");
  const ours = (balance: string) => createUpstream(`{ balance: ${balance}, servers: [${list}] }`).upstream;
  const nameOf = (member: Member): string => String(origins.findIndex(({ address }) => address === member.name));
  return { front: `unix:${front}`, ours, nameOf };
}

/** Who greets a client with that address; the connection stays open. */
async function ask(t: Scope, front: string, ip: string): Promise<{ readonly who: string; readonly client: Peer }> {
  const client = await dial(t, front);
  client.send(`PROXY TCP4 ${ip} 10.0.0.5 50000 443\r\n`);
  await client.receive(1);
  return { who: client.text, client };
}

describe("balancing as nginx does", skip, () => {
  for (const method of ["hash $remote_addr", "hash $remote_addr consistent"]) {
    test(`${method}: every client to the same server`, async (t) => {
      const { front, ours, nameOf } = await world(t, `${method};`);
      const upstream = ours(method);
      const expected: string[] = [];
      const found: string[] = [];
      for (const ip of CLIENTS) {
        const { who, client } = await ask(t, front, ip);
        client.destroy();
        expected.push(who);
        const member = upstream.take(choice([], recordOf(ip)), 0);
        assert.ok(member instanceof Member);
        found.push(nameOf(member));
        member.release();
      }
      assert.deepEqual(found, expected);
      assert.equal(new Set(expected).size, WEIGHTS.length);
    });
  }

  for (const method of ["round_robin", "least_conn"]) {
    test(`${method}: 100 connections that stay, in the same order`, async (t) => {
      const { front, ours, nameOf } = await world(t, method === "least_conn" ? "least_conn;" : "");
      const upstream = ours(method);
      let expected = "";
      let found = "";
      // The look whether nginx answers was a connection, too; it sent no header, and so was given to no server.
      for (let index = 0; index < 100; index++) {
        expected += (await ask(t, front, "10.1.2.3")).who;
        const member = upstream.take(choice(), 0);
        assert.ok(member instanceof Member);
        found += nameOf(member);
      }
      assert.equal(found, expected);
    });
  }
});
