import assert from "node:assert/strict";
import { test } from "node:test";
import { examineDnsServers } from "../../../src/doctor/dns_servers.ts";
import type { DnsResolver } from "../../../src/host.ts";

test("each DNS server is asked by itself; that there is no such name is an answer", async () => {
  const answers: Readonly<Record<string, readonly string[] | string>> = {
    "10.0.0.1:53": ["192.0.2.1"],
    "10.0.0.2:53": "ENOTFOUND",
    "10.0.0.3:53": "ETIMEOUT",
    "10.0.0.4:53": "EREFUSED",
  };
  let open = 0;
  const createResolver = ({ servers }: { readonly servers: readonly string[] }) => {
    open++;
    const answer = answers[servers[0]!]!;
    const resolver: Partial<DnsResolver> = {
      resolveByDns: (_, answered) =>
        answered(typeof answer === "string" ? { code: answer, message: "" } : { addresses: answer, ttl: 1 }),
      close: () => void open--,
    };
    return resolver as DnsResolver;
  };
  const config = { resolver: { servers: Object.keys(answers) } } as unknown as Parameters<typeof examineDnsServers>[0];
  const found = await examineDnsServers(config, { createResolver }, "a.test", 1_000);
  assert.deepEqual(
    found.map(({ id, subject, seen }) => `${id} ${subject}: ${seen}`),
    [
      "resolver_answers 10.0.0.1:53: asked for a.test",
      "resolver_answers 10.0.0.2:53: asked for a.test",
      "resolver_silent 10.0.0.3:53: asked for a.test: ETIMEOUT",
      "resolver_silent 10.0.0.4:53: asked for a.test: EREFUSED",
    ],
  );
  assert.equal(open, 0);
});
