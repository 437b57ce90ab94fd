/**
 * `direct`: the name is resolved and dialled as RFC 8305 says, and no name leads to an address that is none of the
 * client's business.
 */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { LogRecord } from "./harness/access_log.ts";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { type DnsServer, startDnsServer } from "./harness/dns_server.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { greet, hasIpv6, type Origin, startBlackhole, startOrigin } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope } from "./harness/waiting.ts";

const RESOLVE = 700;
/** RFC 8305 §8: Connection Attempt Delay. */
const ATTEMPT_DELAY = 250;
const LATE = 500;

const needsIpv6 = { skip: (await hasIpv6()) ? false : "no IPv6 loopback here" };

const ZONE = {
  "four.test": ["127.0.0.1"],
  "six.test": ["::1"],
  "both.test": ["127.0.0.1", "::1"],
  "own-port.test": ["127.0.0.2"],
  "burst.test": ["127.0.0.1"],
  "loop.test": ["127.0.0.1"],
  "any-loop.test": ["127.0.0.1"],
  "local.test": ["127.0.0.1"],
  "private.test": ["10.1.2.3", "fd00::1"],
  "metadata.test": ["169.254.169.254"],
  "mapped.test": ["::ffff:7f00:1"],
  "zero.test": ["0.0.0.0"],
  "empty.test": [],
  "silent.test": "silent",
  "broken.test": "servfail",
  "below.wild.test": ["127.0.0.1"],
  "unlisted.test": ["127.0.0.1"],
  "server.test": ["127.0.0.1"],
} as const;

forEachCombination((combination) => {
  const scope = suiteScope();
  let dns: DnsServer;
  let four: Origin;
  let sixRefused: Origin;
  let sixStuck: Origin;
  let proxy: RunningProxy;

  before(async () => {
    dns = await startDnsServer(scope, ZONE);
    const ipv6 = needsIpv6.skip === false;
    four = await startOrigin(scope, { accept: greet("IPv4") });
    // On its port nobody listens at ::1.
    sixRefused = await startOrigin(scope, { accept: greet("IPv4") });
    // On its port somebody listens at ::1 who never answers.
    sixStuck = await startOrigin(scope, { accept: greet("IPv4") });
    if (ipv6) {
      await startBlackhole(scope, "::1", sixStuck.port);
      await startOrigin(scope, { address: `[::1]:${four.port}`, accept: greet("IPv6") });
    }
    const direct = (port: number): unknown => ({ to: `direct:${port}`, allowPrivate: true });
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [
          { address: "127.0.0.1:0" },
          { address: "127.0.0.1:0", routes: { "both.test": direct(sixRefused.port) } },
          { address: "127.0.0.1:0", routes: { "both.test": direct(sixStuck.port) } },
          { address: "0.0.0.0:0", routes: { "any-loop.test": { to: "direct", allowPrivate: true } } },
        ],
        routes: {
          "four.test": direct(four.port),
          "six.test": direct(four.port),
          "both.test": direct(four.port),
          "burst.test": direct(four.port),
          "*.wild.test": direct(four.port),
          "own-port.test": { to: "direct", allowPrivate: true },
          "loop.test": { to: "direct", allowPrivate: true },
          "local.test": `direct:${four.port}`,
          "private.test": `direct:${four.port}`,
          "metadata.test": `direct:${four.port}`,
          "mapped.test": `direct:${four.port}`,
          "zero.test": direct(four.port),
          "empty.test": direct(four.port),
          "silent.test": direct(four.port),
          "broken.test": direct(four.port),
          "missing.test": direct(four.port),
          "named.test": `server.test:${four.port}`,
        },
        resolver: { servers: [dns.address], timeout: `${RESOLVE}ms` },
        timeouts: { connect: "5s" },
      },
    });
  });

  async function ask(t: Scope, name: string, listener = 0): Promise<{ client: Peer; record: LogRecord }> {
    const client = await sendFirst(t, proxy.endpoints[listener] ?? "", helloFor(name));
    client.finish();
    await client.untilEnd();
    return { client, record: await proxy.recordOf(client) };
  }

  async function assertRefused(t: Scope, name: string, cause: RegExp, listener = 0): Promise<void> {
    const reached = four.peers.length;
    const { client, record } = await ask(t, name, listener);
    assert.equal(alertIn(client.bytes), "access_denied");
    assert.equal(record.reason, "address_refused");
    assert.match(record.detail ?? "", cause);
    assert.equal(four.peers.length, reached);
    assert.equal(proxy.log.recordsOf(client).length, 1);
  }

  test("an A record, at the route's port", async (t) => {
    const { client, record } = await ask(t, "four.test");
    assert.equal(client.text, "IPv4");
    assert.deepEqual(record.upstream, [`127.0.0.1:${four.port}`]);
  });

  test("an AAAA record", needsIpv6, async (t) => {
    const { client, record } = await ask(t, "six.test");
    assert.equal(client.text, "IPv6");
    assert.deepEqual(record.upstream, [`[::1]:${four.port}`]);
  });

  test("both: IPv6 first", needsIpv6, async (t) => {
    const { client, record } = await ask(t, "both.test");
    assert.equal(client.text, "IPv6");
    assert.deepEqual(record.upstream, [`[::1]:${four.port}`]);
  });

  test("both, IPv6 refused: IPv4 at once", needsIpv6, async (t) => {
    const { client, record } = await ask(t, "both.test", 1);
    assert.equal(client.text, "IPv4");
    assert.deepEqual(record.upstream, [`[::1]:${sixRefused.port} (ECONNREFUSED)`, `127.0.0.1:${sixRefused.port}`]);
    assert.ok((record.connectTime ?? Infinity) < ATTEMPT_DELAY, `${record.connectTime} ms`);
  });

  test("both, IPv6 does not answer: IPv4 after the attempt delay", needsIpv6, async (t) => {
    const { client, record } = await ask(t, "both.test", 2);
    assert.equal(client.text, "IPv4");
    assert.deepEqual(record.upstream, [`[::1]:${sixStuck.port} (abandoned)`, `127.0.0.1:${sixStuck.port}`]);
    const { connectTime = 0 } = record;
    assert.ok(connectTime >= ATTEMPT_DELAY - 20 && connectTime < ATTEMPT_DELAY + LATE, `${connectTime} ms`);
  });

  test("without a port: the listener's own", async (t) => {
    const origin = await startOrigin(t, { address: `127.0.0.2:${proxy.port}`, accept: greet("own port") });
    const { client, record } = await ask(t, "own-port.test");
    assert.equal(client.text, "own port");
    assert.deepEqual(record.upstream, [origin.address]);
  });

  test("a name below a wildcard", async (t) => {
    const { client, record } = await ask(t, "below.wild.test");
    assert.equal(client.text, "IPv4");
    assert.equal(record.route, "*.wild.test");
    assert.equal(record.serverName, "below.wild.test");
  });

  test("a server by name, without allowPrivate: the operator named it", async (t) => {
    assert.equal((await ask(t, "named.test")).client.text, "IPv4");
  });

  test("a name that no route lists is not even looked up", async (t) => {
    const { client, record } = await ask(t, "unlisted.test");
    assert.equal(alertIn(client.bytes), "unrecognized_name");
    assert.equal(record.reason, "no_route");
    assert.deepEqual(
      dns.questions.filter((question) => question.startsWith("unlisted")),
      [],
    );
  });

  test("loopback is refused", (t) =>
    assertRefused(t, "local.test", /local\.test resolved to 127\.0\.0\.1: .*loopback/));

  test("private networks are refused", (t) => assertRefused(t, "private.test", /private|unique local/));

  test("link-local is refused", (t) => assertRefused(t, "metadata.test", /169\.254\.169\.254: .*link local/));

  test("loopback in IPv6's clothes is refused", (t) => assertRefused(t, "mapped.test", /loopback/));

  test("the unspecified address is refused even with allowPrivate", (t) =>
    assertRefused(t, "zero.test", /unspecified/));

  test("our own listener is refused even with allowPrivate", (t) =>
    assertRefused(t, "loop.test", /itself listens there/));

  test("so is a listener on every address", (t) => assertRefused(t, "any-loop.test", /itself listens there/, 3));

  for (const [name, what] of [
    ["missing.test", "a name that does not exist"],
    ["empty.test", "a name without an address"],
    ["broken.test", "a name server that fails"],
  ] as const) {
    test(`${what}: resolve_failed`, async (t) => {
      const { client, record } = await ask(t, name);
      assert.equal(alertIn(client.bytes), "internal_error");
      assert.equal(record.reason, "resolve_failed");
      assert.match(record.upstream?.join() ?? "", new RegExp(name.replace(".", "\\.")));
    });
  }

  test("a name server that says nothing: resolve_timeout, after resolver.timeout", async (t) => {
    const { client, record } = await ask(t, "silent.test");
    assert.equal(alertIn(client.bytes), "internal_error");
    assert.equal(record.reason, "resolve_timeout");
    assert.ok(record.duration > RESOLVE - 50 && record.duration < RESOLVE + LATE + 500, `${record.duration} ms`);
  });

  test("a burst for one name asks once", async (t) => {
    const clients = await Promise.all(
      Array.from({ length: 30 }, () => sendFirst(t, proxy.endpoint, helloFor("burst.test"))),
    );
    await Promise.all(clients.map((client) => client.receiveText("IPv4")));
    for (const client of clients) client.finish();
    const asked = dns.questions.filter((question) => question.startsWith("burst.test "));
    assert.deepEqual(asked.toSorted(), ["burst.test A", "burst.test AAAA"]);
  });
});
