import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { examineName, hostsEntries } from "../../../src/doctor/name_examination.ts";
import type { BindingRecord, DnsResolver } from "../../../src/host.ts";

const PROXY = "10.0.0.5";
const HOSTS = "127.0.0.1 localhost\n10.0.0.5\tA.test b.test # the proxy\n#10.0.0.9 a.test\n::ffff:10.0.0.5 c.test\n";
const BINDING: BindingRecord = { priority: 1, target: "", alpn: [], port: undefined, ech: false, hints: [] };

interface World {
  readonly system?: readonly string[] | string;
  readonly dns?: readonly string[] | string;
  readonly bindings?: readonly BindingRecord[] | string;
}

function answer<T>(value: readonly string[] | string, key: "addresses"): T {
  return (typeof value === "string" ? { code: value, message: value } : { [key]: value, ttl: undefined }) as T;
}

async function examine(
  { system = [PROXY], dns = "ENOTFOUND", bindings = "ENOTFOUND" }: World,
  proxy = [PROXY],
  own = ["127.0.0.1", "fe80::1"],
) {
  const resolver: DnsResolver = {
    concurrency: 1,
    resolve: (_, answered) => answered(answer(system, "addresses")),
    resolveByDns: (_, answered) => answered(answer(dns, "addresses")),
    resolveService: () => {},
    resolveBindings: (_, answered) =>
      answered(typeof bindings === "string" ? { code: bindings, message: "" } : { bindings }),
    close() {},
  };
  const parts = { resolver, hostsFile: HOSTS, proxyAddresses: proxy, ownAddresses: own, port: 443 };
  const findings = await examineName("a.test", parts);
  return findings.map(({ id, seen }) => `${id}: ${seen}`);
}

describe("a name as clients see it", () => {
  test("it leads to the proxy, past it, or both", async () => {
    assert.deepEqual(await examine({ dns: ["192.0.2.1"] }), [
      "leads_to_proxy: it resolves to 10.0.0.5 (hosts file: 10.0.0.5; DNS: 192.0.2.1)",
      "no_https_record: DNS has no HTTPS record",
    ]);
    assert.match((await examine({ system: ["192.0.2.1"] }))[0]!, /^leads_past_proxy/);
    assert.match((await examine({ system: ["::ffff:10.0.0.5", "2001:db8::1"] }))[0]!, /^leads_partly_past_proxy/);
    assert.match((await examine({ system: ["192.0.2.1"] }, []))[0]!, /^resolves/);
  });

  test("IPv6 of DNS beside IPv4 of the hosts file, where this machine has IPv6", async () => {
    const dns = ["192.0.2.1", "2001:db8::1"];
    const withIpv6 = ["10.0.0.9", "2a00:1450::9"];
    assert.match((await examine({ dns }, [PROXY], withIpv6))[1]!, /^ipv6_past_hosts: DNS has 2001:db8::1 for it$/);
    assert.match((await examine({ dns }))[1]!, /^no_https_record/);
    assert.match((await examine({ dns }, [PROXY, "2001:db8::1"], withIpv6))[1]!, /^no_https_record/);
    assert.match((await examine({ dns }, [], withIpv6))[1]!, /^no_https_record/);
  });

  test("nobody knows it, or nobody answers", async () => {
    assert.match((await examine({ system: "ENOTFOUND" }))[0]!, /^name_unresolved: ENOTFOUND/);
    assert.match(
      (await examine({ system: "ETIMEOUT", bindings: "ETIMEOUT" })).join(),
      /^resolver_silent.*,resolver_silent/,
    );
  });

  test("HTTPS records that lead around the proxy, or hide the name", async () => {
    const record = { ...BINDING, alpn: ["h3\u202e", "h2"], ech: true, hints: ["192.0.2.9"], port: 8443 };
    const [, found] = await examine({ bindings: [record, { ...BINDING, priority: 0, target: "cdn.test" }] });
    assert.equal(
      found,
      "https_record: ECH hides the name, HTTP/3 goes by UDP, port 8443, addresses of its own: 192.0.2.9; an alias for cdn.test",
    );
    assert.match((await examine({ bindings: [BINDING] }))[1]!, /^no_https_record: its HTTPS record says nothing/);
    const home = { ...BINDING, hints: [PROXY] };
    assert.match((await examine({ bindings: [home] }))[1]!, /^no_https_record/, "its hint is the proxy's");
  });

  test("the hosts file: comments, tabs, capitals, IPv4 in IPv6", () => {
    assert.deepEqual(hostsEntries(HOSTS, "a.test"), [PROXY]);
    assert.deepEqual(hostsEntries(HOSTS, "c.test"), [PROXY]);
    assert.deepEqual(hostsEntries(HOSTS, "the"), []);
  });
});
