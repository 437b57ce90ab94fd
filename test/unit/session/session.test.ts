import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newRecord } from "../../../src/connection_record.ts";
import { Admission, WorkerLimits } from "../../../src/limits/admission.ts";
import { createLimitsMemory } from "../../../src/limits/limits_memory.ts";
import type { PrereadBudget } from "../../../src/session/preread_buffer.ts";
import { Session } from "../../../src/session/session.ts";
import type { SessionSettings } from "../../../src/session/session_settings.ts";
import type { Step } from "../../../src/session/step.ts";
import { corpusBytes, createSession, failure, HELLO, LOCAL, PEER, settingsOf, trusted } from "./session_fixture.ts";

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, "latin1"));
const latin1 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("latin1");

function kindOf<Kind extends Step["kind"]>(step: Step, kind: Kind): Extract<Step, { kind: Kind }> {
  assert.equal(step.kind, kind, JSON.stringify(step));
  return step as Extract<Step, { kind: Kind }>;
}

/** Reason and alert of a closing step. */
function closed(step: Step): { reason: string; alert: number | undefined } {
  const { reason, reply } = kindOf(step, "close");
  return { reason, alert: reply === undefined ? undefined : reply[6] };
}

function relaying(session: Session): Extract<Step, { kind: "relay" }> {
  session.start(0);
  return relayingOf(session);
}

/** The same for one that has started. */
function relayingOf(session: Session): Extract<Step, { kind: "relay" }> {
  const { attempt } = kindOf(session.received(HELLO, 5), "connect");
  return kindOf(session.connected(attempt, 25), "relay");
}

describe("session: from first byte to relay", () => {
  test("reads, routes by name, connects, and hands on every byte", () => {
    const session = createSession();
    assert.equal(session.start(0).kind, "read");
    const step = kindOf(session.received(HELLO, 5), "connect");
    assert.deepEqual(step.endpoint, { kind: "tcp", ip: "192.0.2.1", port: 443 });
    const relay = kindOf(session.connected(step.attempt, 25), "relay");
    assert.deepEqual(relay.head, HELLO);
    assert.equal(relay.gate, undefined);
    const { record } = session;
    assert.equal(record.serverName, "shop.example.test");
    assert.equal(record.route, "shop.example.test");
    assert.deepEqual(record.alpn, ["h2", "http/1.1"]);
    assert.equal(record.connectTime, 20);
    assert.equal(closed(session.relayed({ reason: "ended" }, HELLO.length + 100, 5000, 1000)).reason, "ok");
    assert.equal(record.bytesReceived, HELLO.length + 100);
    assert.equal(record.bytesSent, 5000);
    assert.equal(record.duration, 1000);
  });

  test("byte by byte as in one piece, and bytes behind the hello are kept", () => {
    const session = createSession();
    session.start(0);
    for (const byte of HELLO.subarray(0, -1)) assert.equal(session.received(Uint8Array.of(byte), 1).kind, "read");
    const last = Uint8Array.of(HELLO.at(-1)!, 0x14, 3, 3, 0, 1, 1);
    const { attempt } = kindOf(session.received(last, 2), "connect");
    assert.deepEqual(kindOf(session.connected(attempt, 3), "relay").head, Uint8Array.of(...HELLO, 0x14, 3, 3, 0, 1, 1));
  });

  test("lent bytes are copied", () => {
    const session = createSession();
    session.start(0);
    const lent = HELLO.slice();
    const { attempt } = kindOf(session.received(lent, 1), "connect");
    lent.fill(0);
    assert.deepEqual(kindOf(session.connected(attempt, 2), "relay").head, HELLO);
  });
});

describe("session: what is not routed", () => {
  const rejected = (bytes: Uint8Array, yaml?: string) => {
    const session = createSession(yaml === undefined ? {} : { yaml });
    session.start(0);
    return closed(session.received(bytes, 1));
  };

  test("each cause has its reason code and alert", () => {
    assert.deepEqual(rejected(HELLO, "routes: { other.test: 192.0.2.1:443 }"), { reason: "no_route", alert: 112 });
    assert.deepEqual(rejected(HELLO, "routes: { shop.example.test: reject }"), { reason: "rejected", alert: 49 });
    assert.deepEqual(rejected(corpusBytes("real-python-ssl-nosni")), { reason: "no_server_name", alert: 109 });
    assert.deepEqual(rejected(corpusBytes("tls12-extensions-length-0")), { reason: "no_server_name", alert: 112 });
    assert.deepEqual(rejected(text("GET / HTTP/1.1\r\n")), { reason: "not_tls", alert: undefined });
    assert.deepEqual(rejected(corpusBytes("alert-first")), { reason: "malformed_hello", alert: 10 });
    assert.deepEqual(rejected(corpusBytes("sni-list-longer-than-extension")), { reason: "malformed_hello", alert: 50 });
    assert.deepEqual(rejected(corpusBytes("record-65535-header-only")), { reason: "malformed_hello", alert: 22 });
  });

  test("a malformed hello never goes to the default route, a nameless one does", () => {
    const yaml = "routes: { default: 192.0.2.9:443 }";
    assert.equal(rejected(corpusBytes("sni-name-length-0"), yaml).reason, "malformed_hello");
    assert.equal(rejected(text("SSH-2.0-x\r\n"), yaml).reason, "not_tls");
    const session = createSession({ yaml });
    session.start(0);
    kindOf(session.received(corpusBytes("real-python-ssl-nosni"), 1), "connect");
    assert.equal(session.record.route, "default");
  });

  test("silence, a drip and an early end", () => {
    const silent = createSession();
    silent.start(0);
    assert.equal(silent.deadline, 10_000);
    assert.equal(silent.timedOut(9_999, 0).kind, "wait");
    assert.deepEqual(closed(silent.timedOut(10_000, 0)), { reason: "preread_timeout", alert: undefined });
    const drip = createSession();
    drip.start(0);
    drip.received(HELLO.subarray(0, 1), 5_000);
    drip.received(HELLO.subarray(1, 2), 9_000);
    assert.equal(drip.deadline, 10_000, "bytes must not move the deadline");
    const early = createSession();
    early.start(0);
    early.received(HELLO.subarray(0, 50), 1);
    assert.equal(closed(early.ended(2)).reason, "client_left");
  });

  test("limits on one client's first message and on all together", () => {
    const small = createSession({ settings: { prereadBytes: 100 } });
    small.start(0);
    assert.equal(closed(small.received(HELLO.subarray(0, 100), 1)).reason, "preread_too_large");
    const atOnce = createSession({ settings: { prereadBytes: 100 } });
    atOnce.start(0);
    assert.equal(closed(atOnce.received(HELLO, 1)).reason, "preread_too_large", "in one read as in several");
    const budget = { held: 0, take: () => false, give() {} } as unknown as PrereadBudget;
    const poor = createSession({ settings: { budget } });
    poor.start(0);
    assert.equal(closed(poor.received(HELLO, 1)).reason, "preread_memory");
  });

  test("nothing is answered twice", () => {
    const session = createSession();
    session.start(0);
    session.timedOut(10_000, 0);
    assert.equal(session.received(HELLO, 10_001).kind, "wait");
    assert.equal(session.timedOut(99_999, 0).kind, "wait");
    assert.equal(session.abort("drain_timeout", 99_999).kind, "wait");
    assert.equal(session.record.reason, "preread_timeout");
  });
});

describe("session: limits and access", () => {
  const LISTS = "deny: [198.51.100.0/24]";

  test("a listener's list is asked at once, a route's when the name is known; a redirect is no way around it", () => {
    const access = { rules: [], otherwise: false, dryRun: false };
    const early = createSession({ settings: { admission: new Admission(access, undefined) } });
    assert.deepEqual(closed(early.start(0)), { reason: "access_denied", alert: 49 });
    for (const yaml of [
      `routes: { shop.example.test: { to: 192.0.2.1, ${LISTS} } }`,
      `routes: { default: { to: 192.0.2.1, ${LISTS} } }`,
    ]) {
      const session = createSession({ yaml });
      assert.equal(session.start(0).kind, "read");
      assert.deepEqual(closed(session.received(HELLO, 1)), { reason: "access_denied", alert: 49 });
    }
    const yaml = `routes: { a.test: { to: 192.0.2.1, ${LISTS} } }`;
    const http = createSession({ yaml, settings: { protocol: "http", redirectToHttps: 443 } });
    http.start(0);
    const { reply } = kindOf(http.received(text("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), 1), "close");
    assert.match(latin1(reply), /^HTTP\/1\.1 403 /);
  });

  test("a route's rate goes to the relay; without one there is none", () => {
    assert.equal(relaying(createSession()).rate, undefined);
    const yaml = "routes: { shop.example.test: { to: 192.0.2.1, rate: { down: 10MB } } }";
    assert.deepEqual(relaying(createSession({ yaml })).rate, { down: 1e7, up: undefined });
    assert.deepEqual(relaying(createSession({ yaml, settings: { rate: { up: 5000, down: 7 } } })).rate, {
      down: 1e7,
      up: 5000,
    });
  });

  test("a handshake is over with the relay, and a client's place is free when its connection has ended", () => {
    const memory = createLimitsMemory({ workers: 1, connectionLimit: 9, perClient: true, random: () => 0.5 });
    const limits = { connections: 9, perClient: 2, handshakes: 1, dryRun: false, prereadBytes: 1, prereadTotal: 1 };
    const settings = { admission: new Admission(undefined, new WorkerLimits(limits, memory, 0)) };
    const first = createSession({ settings });
    assert.equal(first.start(0).kind, "read");
    const second = createSession({ settings });
    assert.deepEqual(closed(second.start(0)), { reason: "handshakes_limit", alert: undefined });
    relayingOf(first);
    const third = createSession({ settings });
    assert.equal(third.start(0).kind, "read");
    relayingOf(third);
    assert.equal(closed(createSession({ settings }).start(0)).reason, "per_client_limit");
    first.relayed({ reason: "ended" }, 1, 1, 50);
    assert.equal(createSession({ settings }).start(0).kind, "read");
  });

  test("behind a PROXY header, whom it names is judged, once", () => {
    const memory = createLimitsMemory({ workers: 1, connectionLimit: 9, perClient: true, random: () => 0.5 });
    const limits = { connections: 9, perClient: 1, dryRun: false, prereadBytes: 1, prereadTotal: 1 };
    const admission = new Admission(undefined, new WorkerLimits(limits, memory, 0));
    const arrive = (ip: string): Step => {
      const session = createSession({ settings: { admission, trustedProxies: trusted() } });
      assert.equal(session.start(0).kind, "read");
      session.received(text("PROXY TCP4 "), 1);
      session.received(text(`${ip} 192.0.2.2 1234 443\r\n`), 1);
      return session.received(HELLO, 2);
    };
    assert.equal(arrive("192.0.2.77").kind, "connect");
    assert.equal(arrive("192.0.2.78").kind, "connect");
    const session = createSession({ settings: { admission, trustedProxies: trusted() } });
    session.start(0);
    const refused = session.received(text("PROXY TCP4 192.0.2.77 192.0.2.2 1234 443\r\n"), 1);
    assert.equal(closed(refused).reason, "per_client_limit");
  });
});

describe("session: PROXY header", () => {
  const header = text("PROXY TCP4 192.0.2.77 192.0.2.2 1234 443\r\n");

  test("is taken off, and names the client", () => {
    const session = createSession({ settings: { trustedProxies: trusted() } });
    session.start(0);
    const { attempt } = kindOf(session.received(Buffer.concat([header, HELLO]), 1), "connect");
    assert.deepEqual(session.record.client, { kind: "tcp", ip: "192.0.2.77", port: 1234 });
    assert.deepEqual(kindOf(session.connected(attempt, 2), "relay").head, HELLO);
  });

  test("names the client in the log even if nothing follows", () => {
    const session = createSession({ settings: { trustedProxies: trusted() } });
    session.start(0);
    session.received(header, 1);
    session.timedOut(10_000, 0);
    assert.deepEqual(session.record.client, { kind: "tcp", ip: "192.0.2.77", port: 1234 });
  });

  test("is required, and only of trusted peers", () => {
    const without = createSession({ settings: { trustedProxies: trusted() } });
    without.start(0);
    assert.equal(closed(without.received(HELLO, 1)).reason, "malformed_proxy_header");
    const stranger = createSession({ settings: { trustedProxies: trusted("192.0.2.0/24") } });
    assert.equal(closed(stranger.start(0)).reason, "untrusted_peer");
  });

  test("is sent where the upstream wants one", () => {
    const yaml =
      "routes: { shop.example.test: pool }\nupstreams: { pool: { servers: ['192.0.2.1:443'], proxyProtocol: v1 } }";
    const { head } = relaying(createSession({ yaml }));
    assert.equal(latin1(head.subarray(0, 42)), "PROXY TCP4 198.51.100.9 10.0.0.5 50000 443");
    assert.deepEqual(head.subarray(44), HELLO);
  });
});

describe("session: relaying", () => {
  test("idle relays are cut, moving ones are not", () => {
    const session = createSession({ settings: { idleTimeout: 1_000 } });
    relaying(session);
    let now = 25;
    for (let moved = 1; moved < 20; moved++) {
      now = session.deadline;
      assert.equal(session.timedOut(now, moved).kind, "wait");
    }
    const quietSince = now;
    let step: Step = { kind: "wait" };
    while (step.kind === "wait") {
      now = session.deadline;
      step = session.timedOut(now, 19);
    }
    assert.equal(step.kind, "cut");
    assert.ok(now - quietSince >= 1_000 && now - quietSince <= 1_300, String(now - quietSince));
    assert.equal(closed(session.relayed({ reason: "cut" }, 600, 10, now)).reason, "idle_timeout");
  });

  test("who broke it is what the log says", () => {
    for (const reason of ["client_reset", "server_reset"] as const) {
      const session = createSession();
      relaying(session);
      const step = session.relayed({ reason, error: failure("ECONNRESET") }, 0, 0, 50);
      assert.deepEqual(closed(step), { reason, alert: undefined });
      assert.equal(session.record.detail, "ECONNRESET");
    }
  });

  test("an abort while relaying cuts first and closes after", () => {
    const session = createSession();
    relaying(session);
    assert.equal(session.abort("drain_timeout", 30).kind, "cut");
    assert.equal(closed(session.relayed({ reason: "cut" }, 1000, 2000, 40)).reason, "drain_timeout");
    assert.equal(session.record.bytesSent, 2000);
  });

  test("memory of the first bytes is given back", () => {
    let held = 0;
    const budget = {
      held: 0,
      take: (bytes: number) => {
        held += bytes;
        return true;
      },
      give: (bytes: number) => {
        held -= bytes;
      },
    } as unknown as PrereadBudget;
    const session = createSession({ settings: { budget } });
    relaying(session);
    assert.equal(held, 0);
  });
});

describe("session: HTTP", () => {
  const http = { protocol: "http", port: 80 } as const;
  const request = text(
    "POST /x HTTP/1.1\r\nHost: shop.example.test\r\nContent-Length: 4\r\n\r\nbodyGET /second HTTP/1.1\r\n",
  );

  test("routes by Host, closes after one request, and holds the second back", () => {
    const session = createSession({ settings: http });
    session.start(0);
    const { attempt } = kindOf(session.received(request, 1), "connect");
    const { head, gate } = kindOf(session.connected(attempt, 2), "relay");
    assert.match(latin1(head), /^POST \/x HTTP\/1.1\r\n.*connection: close\r\n.*\r\nbody$/is);
    assert.equal(gate!.fromClient(text("GET /third HTTP/1.1\r\n")), 0);
  });

  test("a chunked body that breaks its framing ends the relay, with the reason in the log", () => {
    const head = "POST / HTTP/1.1\r\nHost: shop.example.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    const later = createSession({ settings: http });
    later.start(0);
    const { attempt } = kindOf(later.received(text(`${head}5\r\nhello\r\n`), 1), "connect");
    const { gate } = kindOf(later.connected(attempt, 2), "relay");
    assert.equal(gate!.fromClient(text("nonsense\r\n")), -1);
    assert.equal(closed(later.relayed({ reason: "cut" }, 100, 0, 3)).reason, "malformed_request");
    assert.match(later.record.detail, /chunked body/);
    const atOnce = createSession({ settings: http });
    atOnce.start(0);
    const first = kindOf(atOnce.received(text(`${head}nonsense\r\n`), 1), "connect");
    const step = kindOf(atOnce.connected(first.attempt, 2), "close");
    assert.equal(step.reason, "malformed_request");
    assert.match(latin1(step.reply), /^HTTP\/1.1 400/);
  });

  test("bytes behind the one request are dropped, and the log says how many", () => {
    const session = createSession({ settings: http });
    session.start(0);
    const { attempt } = kindOf(session.received(request, 1), "connect");
    session.connected(attempt, 2);
    session.relayed({ reason: "ended" }, 100, 100, 3);
    assert.equal(session.record.detail, "22 bytes behind the first request were dropped");
  });

  test("short replies", () => {
    const answer = (bytes: Uint8Array, yaml?: string): string => {
      const session = createSession({ settings: http, ...(yaml === undefined ? {} : { yaml }) });
      session.start(0);
      return latin1(kindOf(session.received(bytes, 1), "close").reply).slice(0, 12);
    };
    assert.equal(answer(text("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")), "HTTP/1.1 404");
    assert.equal(answer(text("GET / HTTP/1.1\r\n\r\n")), "HTTP/1.1 400");
    assert.equal(answer(HELLO), "HTTP/1.1 400");
    assert.equal(answer(request, "routes: { shop.example.test: reject }"), "HTTP/1.1 403");
  });

  test("a server that does not answer is a 502 or a 504", () => {
    const refused = createSession({ settings: http });
    refused.start(0);
    const { attempt } = kindOf(refused.received(request, 1), "connect");
    assert.match(
      latin1(kindOf(refused.connectFailed(attempt, failure("ECONNREFUSED"), 2), "close").reply),
      /^HTTP\/1.1 502/,
    );
    const silent = createSession({ settings: http });
    silent.start(0);
    silent.received(request, 1);
    assert.match(latin1(kindOf(silent.timedOut(15_001, 0), "close").reply), /^HTTP\/1.1 504/);
    assert.equal(silent.record.reason, "connect_timeout");
  });

  test("redirects only names that are routed", () => {
    const redirect = (host: string): Extract<Step, { kind: "close" }> => {
      const session = createSession({ settings: { ...http, redirectToHttps: 443 } });
      session.start(0);
      return kindOf(session.received(text(`GET /a?b HTTP/1.1\r\nHost: ${host}\r\n\r\n`), 1), "close");
    };
    const step = redirect("shop.example.test");
    assert.equal(step.reason, "redirected");
    assert.match(latin1(step.reply), /^HTTP\/1.1 308 .*\r\nlocation: https:\/\/shop\.example\.test\/a\?b\r\n/is);
    assert.equal(redirect("evil.test").reason, "no_route");
  });
});

describe("session: loops", () => {
  const yaml = "routes: { shop.example.test: direct }";
  const begin = (settings: SessionSettings) => {
    const session = new Session(settings, newRecord(1, 0, "10.0.0.5:443", settings.protocol, PEER, LOCAL), 0);
    session.start(0);
    return session;
  };

  test("a hello that is under way from here is a loop, and none once the first connection is over", () => {
    const settings = settingsOf(yaml);
    const first = begin(settings);
    assert.equal(first.received(HELLO, 1).kind, "resolve");
    const second = begin(settings);
    const step = second.received(HELLO, 2);
    assert.deepEqual([step.kind, second.record.reason], ["close", "loop"]);
    assert.match(second.record.detail, /shop\.example\.test went out from here and came back from 198\.51\.100\.9/);
    first.clientClosed(undefined, 3);
    assert.equal(begin(settings).received(HELLO, 4).kind, "resolve");
    assert.equal(settings.loops.size, 1);
  });

  test("an idle connection leaves nothing in the memory", () => {
    const settings = settingsOf(yaml);
    const session = begin(settings);
    session.received(HELLO, 1);
    session.resolved("shop.example.test", ["8.8.8.8"], 2);
    assert.equal(session.connected(1, 3).kind, "relay");
    assert.equal(settings.loops.size, 1);
    session.timedOut(session.deadline, 100);
    assert.equal(settings.loops.size, 0);
  });

  test("a server that is given by its address is not watched", () => {
    const settings = settingsOf("routes: { shop.example.test: 192.0.2.1:443 }");
    begin(settings).received(HELLO, 1);
    assert.equal(settings.loops.size, 0);
    assert.equal(begin(settings).received(HELLO, 1).kind, "connect");
  });

  test("a request from our own end of a connection to a server is a loop", () => {
    const settings = settingsOf("routes: { shop.example.test: 'self.test:80' }", { protocol: "http", port: 80 });
    const request = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: shop.example.test\r\n\r\n");
    const first = begin(settings);
    first.received(request, 1);
    first.resolved("self.test", ["10.0.0.5"], 2);
    // As the second one's peer.
    assert.equal(first.connected(1, 3, { local: PEER }).kind, "relay");
    const second = begin(settings);
    second.received(request, 4);
    assert.equal(second.record.reason, "loop");
    first.relayed({ reason: "ended" }, 0, 0, 5);
    assert.equal(settings.loops.size, 0);
  });
});
