/**
 * Names: answers are believed for as long as DNS says, old ones serve while DNS is away, upstreams follow DNS, and
 * what needs no name never waits for one.
 */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { type DnsServer, startDnsServer, type ZoneEntry } from "./harness/dns_server.ts";
import { helloFor } from "./harness/hello.ts";
import { greet, type Origin, startOrigin } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope, until } from "./harness/waiting.ts";

const FLOOD = 150;
/** Sockets for lookups at once, and what else may be open for a moment. */
const LOOKUPS = 64;
const SLACK = 20;

/** Greets, and says more when asked to. */
function server(text: string): (peer: Peer) => void {
  return (peer) => {
    greet(text)(peer);
    peer.socket.on("data", (bytes) => {
      if (bytes.toString("latin1").endsWith("more")) peer.send(" still");
    });
  };
}

forEachCombination((combination) => {
  const scope = suiteScope();
  const zone: Record<string, ZoneEntry> = {};
  let dns: DnsServer;
  let one: Origin;
  let two: Origin;
  let proxy: RunningProxy;

  before(async () => {
    dns = await startDnsServer(scope, zone);
    one = await startOrigin(scope, { accept: server("one") });
    two = await startOrigin(scope, { address: `127.0.0.2:${one.port}`, accept: server("two") });
    zone["moves.test"] = { addresses: ["127.0.0.1"], ttl: 1 };
    zone["fails.test"] = { addresses: ["127.0.0.1"], ttl: 1 };
    zone["pool.test"] = { addresses: ["127.0.0.1"], ttl: 1 };
    zone["_tls._tcp.test"] = { services: [`10 1 ${one.port} a.test`, `20 1 ${one.port} b.test`], ttl: 1 };
    zone["a.test"] = { addresses: ["127.0.0.2"], ttl: 1 };
    zone["b.test"] = { addresses: ["127.0.0.1"], ttl: 1 };
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: {
          "moves.test": { to: `direct:${one.port}`, allowPrivate: true },
          "fails.test": { to: `direct:${one.port}`, allowPrivate: true },
          "plain.test": one.address,
          "*.flood.test": `direct:${one.port}`,
          "dead.test": `silent.test:${one.port}`,
          "pool.test": "pool",
          "service.test": "service",
        },
        upstreams: {
          pool: { servers: [{ address: `pool.test:${one.port}`, resolve: true }] },
          service: { servers: [{ service: "_tls._tcp.test" }] },
        },
        resolver: { servers: [dns.address], timeout: "700ms", minTtl: "1s" },
      },
    });
  });

  /** Who answers a client that asks for `name`. */
  async function ask(t: Scope, name: string): Promise<string> {
    const client = await sendFirst(t, proxy.endpoint, helloFor(name));
    client.finish();
    await client.untilEnd();
    return client.text;
  }

  async function untilAnswers(t: Scope, name: string, text: string): Promise<void> {
    await until(`${text} for ${name}`, async () => ((await ask(t, name)) === text ? true : undefined));
  }

  test("a dead resolver is told, and stops no route that needs none", async (t) => {
    zone["silent.test"] = "silent";
    const late = await startProxy(t, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { "plain.test": one.address, "named.test": `silent.test:${one.port}`, "gone.test": "missing.test:443" },
        resolver: { servers: [dns.address], timeout: "300ms" },
      },
    });
    const client = await sendFirst(t, late.endpoint, helloFor("plain.test"));
    assert.equal(await client.receiveText("one"), "one");
    await late.waitForStderr(/Cannot resolve silent\.test \(routes\.named\.test\): the resolver did not answer/);
    await late.waitForStderr(/Cannot resolve missing\.test \(routes\.gone\.test\): there is no such name/);
    zone["silent.test"] = ["127.0.0.1"];
    await until("the name to resolve again", async () => {
      const other = await sendFirst(t, late.endpoint, helloFor("named.test"));
      other.finish();
      await other.untilEnd();
      return other.text === "one" ? true : undefined;
    });
  });

  test("another address is used once the TTL is over; a connection that is open stays", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("moves.test"));
    await client.receiveText("one");
    zone["moves.test"] = { addresses: ["127.0.0.2"], ttl: 1 };
    await untilAnswers(t, "moves.test", "two");
    client.send("more");
    await client.receiveText("one still");
  });

  test("while DNS is away, the old answer serves, and it is said once", async (t) => {
    assert.equal(await ask(t, "fails.test"), "one");
    zone["fails.test"] = "servfail";
    await until("the old answer to be told of", async () => {
      assert.equal(await ask(t, "fails.test"), "one");
      return /Cannot resolve fails\.test again: ESERVFAIL/.test(proxy.stderr) || undefined;
    });
    assert.equal(await ask(t, "fails.test"), "one");
    assert.equal(proxy.stderr.match(/Cannot resolve fails\.test/g)?.length, 1);
  });

  test("resolve: each address is a server, added and dropped as DNS says", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("pool.test"));
    await client.receiveText("one");
    zone["pool.test"] = { addresses: ["127.0.0.1", "127.0.0.2"], ttl: 1 };
    await untilAnswers(t, "pool.test", "two");
    zone["pool.test"] = { addresses: ["127.0.0.2"], ttl: 1 };
    await until("the dropped server to get no more", async () => {
      const answers = [await ask(t, "pool.test"), await ask(t, "pool.test")];
      return answers.every((answer) => answer === "two") || undefined;
    });
    client.send("more");
    await client.receiveText("one still");
  });

  test("resolve: a name that is gone keeps its servers", async (t) => {
    delete zone["pool.test"];
    await proxy.waitForStderr(/upstream pool: Cannot resolve pool\.test: ENOTFOUND; its last servers are kept/);
    assert.match(await ask(t, "pool.test"), /one|two/);
  });

  test("service: SRV records are servers with their ports, later priorities are backups", async (t) => {
    for (let turn = 0; turn < 4; turn++) assert.equal(await ask(t, "service.test"), "two");
    two.close();
    await untilAnswers(t, "service.test", "one");
  });

  test("a flood of names that nobody answers for: so many lookups at once, and the others are served", async (t) => {
    const before = proxy.descriptors();
    const names = Array.from({ length: FLOOD }, (_, index) => `n${index}.flood.test`);
    for (const name of names) zone[name] = "silent";
    const clients = await Promise.all(names.map((name) => sendFirst(t, proxy.endpoint, helloFor(name))));
    await until("the flood to arrive", () => dns.questions.some((question) => /flood/.test(question)) || undefined);
    const asking = proxy.descriptors() - before - FLOOD;
    assert.ok(asking <= LOOKUPS + SLACK, `${asking} descriptors for lookups`);
    assert.equal(await ask(t, "plain.test"), "one");
    await Promise.all(clients.map((client) => client.untilEnd()));
    const records = await Promise.all(clients.map((client) => proxy.recordOf(client)));
    for (const { reason } of records) assert.equal(reason, "resolve_timeout");
  });
});
