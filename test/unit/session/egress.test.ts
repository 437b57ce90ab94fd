import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Session } from "../../../src/session/session.ts";
import type { Step } from "../../../src/session/step.ts";
import { concat, fromHex, fromText } from "../three_ways.ts";
import { createSession, failure, HELLO, settingsOf } from "./session_fixture.ts";

const latin1 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("latin1");
const OK = fromText("HTTP/1.1 200 OK\r\n\r\n");
const SSL = fromHex("0000000804d2162f");

function kindOf<Kind extends Step["kind"]>(step: Step, kind: Kind): Extract<Step, { kind: Kind }> {
  assert.equal(step.kind, kind, JSON.stringify(step));
  return step as Extract<Step, { kind: Kind }>;
}

const via = (to: string, more = ""): string =>
  `routes: { shop.example.test: { to: ${to}, via: { url: "http://me@10.0.0.9:3128", passwordEnv: PW } } }\n${more}`;

/** A session that has connected to the proxy of its first server. */
function connected(yaml: string): { session: Session; exchange: Extract<Step, { kind: "exchange" }> } {
  const session = createSession({ yaml, settings: { secrets: { "env:PW": "s3cret" } } });
  session.start(0);
  const connect = kindOf(session.received(HELLO, 1), "connect");
  assert.deepEqual(connect.endpoint, { kind: "tcp", ip: "10.0.0.9", port: 3128 });
  return { session, exchange: kindOf(session.connected(connect.attempt, 2), "exchange") };
}

describe("session: through a proxy", () => {
  test("direct: the name goes to the proxy, with credentials, and the relay follows its reply", () => {
    const { session, exchange } = connected(via("direct"));
    assert.match(latin1(exchange.bytes), /^CONNECT shop\.example\.test:443 HTTP\/1\.1\r\n/);
    assert.ok(latin1(exchange.bytes).includes(Buffer.from("me:s3cret").toString("base64")));
    assert.equal(kindOf(session.serverReceived(OK.subarray(0, 9), 3), "exchange").bytes.length, 0);
    const relay = kindOf(session.serverReceived(concat(OK.subarray(9), fromText("early")), 7), "relay");
    assert.deepEqual(relay.head, HELLO);
    assert.equal(latin1(relay.answer), "early");
    assert.equal(session.record.connectTime, 6);
    assert.deepEqual(session.record.attempts, [{ address: "shop.example.test:443 via 10.0.0.9:3128", outcome: "" }]);
    kindOf(session.relayed({ reason: "ended" }, HELLO.length, 100, 9), "close");
    assert.equal(session.record.bytesSent, 105);
    assert.doesNotMatch(JSON.stringify(session.record), /s3cret|bWU6/);
  });

  test("a refusal is a server that did not connect: the next one, by way of the proxy again", () => {
    const { session } = connected(via("pool", `upstreams: { pool: { servers: ["10.0.0.1:1", "b.test:2"] } }`));
    const next = kindOf(session.serverReceived(fromText("HTTP/1.1 502 x\r\n\r\n"), 3), "connect");
    const exchange = kindOf(session.connected(next.attempt, 4), "exchange");
    assert.match(latin1(exchange.bytes), /^CONNECT b\.test:2 /);
    const end = kindOf(session.serverGone(failure("ECONNRESET"), 5), "close");
    assert.equal(end.reason, "connect_failed");
    assert.equal(session.record.detail, "b.test:2 via 10.0.0.9:3128 closed before the way was open");
    assert.deepEqual(session.record.attempts, [
      { address: "10.0.0.1:1 via 10.0.0.9:3128", outcome: "proxy_refused" },
      { address: "b.test:2 via 10.0.0.9:3128", outcome: "ECONNRESET" },
    ]);
  });

  test("a proxy that stalls takes its share of timeouts.connect, no more", () => {
    const { session } = connected(via("pool", `upstreams: { pool: { servers: ["10.0.0.1:1", "b.test:2"] } }`));
    assert.equal(session.deadline, 1 + 15_000 / 2);
    const next = kindOf(session.timedOut(session.deadline, 0), "connect");
    kindOf(session.connected(next.attempt, 8_000), "exchange");
    assert.equal(session.deadline, 15_001);
    const end = kindOf(session.timedOut(15_001, 0), "close");
    assert.equal(end.reason, "connect_timeout");
    assert.deepEqual(
      session.record.attempts.map(({ outcome }) => outcome),
      ["ETIMEDOUT", "ETIMEDOUT"],
    );
  });

  test("a PROXY header is for the server: behind the proxy's reply", () => {
    const pool = `upstreams: { pool: { servers: ["10.0.0.1:1"], proxyProtocol: v1 } }`;
    const { session, exchange } = connected(via("pool", pool));
    assert.doesNotMatch(latin1(exchange.bytes), /PROXY /);
    const relay = kindOf(session.serverReceived(OK, 3), "relay");
    assert.match(latin1(relay.head), /^PROXY TCP4 198\.51\.100\.9 /);
  });

  test("the client leaves, and the proxy shuts down, while it goes on", () => {
    assert.equal(kindOf(connected(via("direct")).session.clientClosed(undefined, 3), "close").reason, "client_left");
    assert.equal(kindOf(connected(via("direct")).session.abort("drain_timeout", 3), "close").reason, "drain_timeout");
  });
});

describe("session: PROXY header with TLVs, bind", () => {
  test("the log tells the id that the server got", () => {
    const header = "{ authority: true, alpn: true, uniqueId: true, checksum: true }";
    const session = createSession({
      yaml: `routes: { shop.example.test: pool }\nupstreams: { pool: { servers: ["10.0.0.1:1"], proxyProtocol: ${header}, bind: 10.0.0.5 } }`,
    });
    session.start(0);
    const { attempt } = kindOf(session.received(HELLO, 1), "connect");
    assert.deepEqual(session.bind, ["10.0.0.5"]);
    const { head } = kindOf(session.connected(attempt, 2), "relay");
    const text = latin1(head.subarray(0, head.length - HELLO.length));
    assert.ok(text.includes("\x02\0\x11shop.example.test"), "authority");
    assert.ok(text.includes(`\x05\0\x03${session.record.uniqueId}`), "unique id");
    assert.equal(session.record.uniqueId, "0-1");
    // The client offers two protocols, and which is chosen cannot be seen.
    assert.ok(!text.includes("h2"));
  });
});

describe("session: PostgreSQL", () => {
  const YAML =
    "routes: { shop.example.test: pool }\nupstreams: { pool: { servers: ['10.0.0.1:1', '10.0.0.2:1'], proxyProtocol: v1 } }";
  const create = (yaml = YAML) => createSession({ yaml, settings: { protocol: "postgres" } });

  test("S for the client, the question for the server, and the hello alone in the relay", () => {
    const session = create();
    session.start(0);
    assert.equal(latin1(kindOf(session.received(SSL, 1), "answer").bytes), "S");
    const { attempt } = kindOf(session.received(HELLO, 2), "connect");
    const asked = kindOf(session.connected(attempt, 3), "exchange");
    assert.match(latin1(asked.bytes.subarray(0, -8)), /^PROXY TCP4 [^\r]+\r\n$/);
    assert.deepEqual(asked.bytes.subarray(-8), SSL);
    const refused = kindOf(session.serverReceived(fromText("N"), 4), "connect");
    kindOf(session.connected(refused.attempt, 5), "exchange");
    const relay = kindOf(session.serverReceived(fromText("S"), 6), "relay");
    assert.deepEqual(relay.head, HELLO);
    assert.equal(session.record.protocol, "postgres");
    assert.equal(session.record.attempts[0]?.outcome, "tls_refused");
  });

  test("no server grants TLS: an alert, since the client was promised it", () => {
    const session = create("routes: { shop.example.test: '10.0.0.1:1' }");
    session.start(0);
    session.received(SSL, 1);
    const { attempt } = kindOf(session.received(HELLO, 2), "connect");
    kindOf(session.connected(attempt, 3), "exchange");
    const end = kindOf(session.serverReceived(fromText("N"), 4), "close");
    assert.equal(end.reason, "tls_refused");
    assert.equal(end.reply?.[0], 21);
    assert.equal(session.record.bytesSent, 1 + 7);
  });

  test("direct TLS asks the server for nothing", () => {
    const session = create("routes: { shop.example.test: '10.0.0.1:1' }");
    session.start(0);
    const { attempt } = kindOf(session.received(HELLO, 2), "connect");
    kindOf(session.connected(attempt, 3), "relay");
  });

  test("in the clear: an ErrorResponse; pipelined or foreign: nothing", () => {
    const ended = (bytes: Uint8Array) => {
      const session = create();
      session.start(0);
      const { reason, reply } = kindOf(session.received(bytes, 1), "close");
      return [reason, reply === undefined ? undefined : latin1(reply.subarray(0, 1))];
    };
    assert.deepEqual(ended(fromHex("0000000900030000")), ["tls_required", "E"]);
    assert.deepEqual(ended(concat(SSL, HELLO)), ["malformed_prelude", undefined]);
    assert.deepEqual(ended(fromText("GET / HTTP/1.1\r\n\r\n")), ["malformed_prelude", undefined]);
  });
});

describe("session: whatever the client speaks", () => {
  const YAML = "routes: { shop.example.test: '10.0.0.1:1' }";
  const ALL = "protocol: 'any', ssh: '10.0.0.7:22', silent: '10.0.0.8:22'";
  const create = (listener = ALL) => {
    const settings = settingsOf(YAML, {}, listener);
    return createSession({ yaml: YAML, settings });
  };

  test("by kind, each on record", () => {
    for (const [bytes, port, protocol, route] of [
      [HELLO, 1, "tls", "shop.example.test"],
      [fromText("GET / HTTP/1.1\r\nHost: shop.example.test\r\n\r\n"), 1, "http", "shop.example.test"],
      [fromText("SSH-2.0-x\r\n"), 22, "ssh", "ssh"],
    ] as const) {
      const session = create();
      session.start(0);
      const { endpoint } = kindOf(session.received(bytes, 1), "connect");
      assert.ok(endpoint.kind === "tcp" && endpoint.port === port);
      assert.deepEqual([session.record.protocol, session.record.route], [protocol, route]);
    }
  });

  test("what has no destination is closed", () => {
    const session = create();
    session.start(0);
    assert.deepEqual(kindOf(session.received(fromText("EHLO x\r\n"), 1), "close").reason, "unrouted_protocol");
    assert.equal(session.record.protocol, "other");
  });

  test("silence goes to its server, and a client that has begun has its time", () => {
    const session = create();
    session.start(0);
    assert.equal(session.deadline, 1_000);
    const { attempt } = kindOf(session.timedOut(1_000, 0), "connect");
    assert.equal(kindOf(session.connected(attempt, 1_001), "relay").head.length, 0);
    assert.equal(session.record.protocol, "silent");
    const slow = create();
    slow.start(0);
    slow.received(HELLO.subarray(0, 1), 900);
    assert.equal(slow.deadline, 10_000);
  });

  test("each kind is refused in its own words", () => {
    const refused = (bytes: Uint8Array) => {
      const session = create("protocol: 'any'");
      session.start(0);
      return kindOf(session.received(bytes, 1), "close");
    };
    assert.match(latin1(refused(fromText("GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")).reply), /^HTTP\/1\.1 404 /);
    assert.equal(refused(fromText("SSH-2.0-x\r\n")).reply, undefined);
  });
});
