/**
 * Every case of the first-bytes corpus through the real program, in its own chunks and gaps: names are routed, the
 * rest falls to `default` or is refused, and nothing that is not a valid hello ever reaches a server.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import type { LogRecord } from "./harness/access_log.ts";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { alertIn } from "./harness/hello.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { dial, type Peer } from "./harness/peer.ts";
import { startProxy } from "./harness/proxy.ts";
import { pause, type Scope, suiteScope } from "./harness/waiting.ts";

interface Expectation {
  readonly outcome: "sni" | "no_sni" | "not_tls" | "malformed" | "incomplete";
  readonly sni?: string;
  readonly alpn?: readonly string[];
  readonly versions?: readonly string[];
  readonly any?: readonly Expectation[];
  readonly why?: string;
  readonly header_bytes?: number;
  readonly src?: string;
}

interface Case {
  readonly name: string;
  readonly chunks: readonly string[];
  readonly gap_ms?: number;
  readonly end: "hold" | "fin";
  readonly expect: Expectation;
  readonly unrouted?: boolean;
  readonly with_proxy_protocol?: Expectation;
}

/** What became of one case. */
interface Result {
  readonly record: LogRecord;
  readonly sent: Buffer;
  /** What the client got. */
  readonly reply: Buffer;
  /** Who was reached, and what came there. */
  readonly server: { readonly name: string; readonly bytes: Buffer } | undefined;
}

const PREREAD = 3000;
const DEADLINE = 20_000;

function load(url: URL): readonly Case[] {
  return (JSON.parse(readFileSync(url, "utf8")) as { cases: Case[] }).cases;
}

const own = load(new URL("../fixtures/client_hellos.json", import.meta.url));
const thirdPartyUrl = new URL("../../../shared/corpus/third_party_client_hellos.json", import.meta.url);
const thirdParty = existsSync(thirdPartyUrl) ? load(thirdPartyUrl) : [];
const all = [...own, ...thirdParty];
const behindProxy = own.filter((one) => one.with_proxy_protocol !== undefined);

/** Names that a route table should hold. */
const routed = new Set(all.flatMap(({ expect, unrouted }) => (unrouted || !expect.sni ? [] : [expect.sni])));
// The names behind a PROXY header are among them.
for (const { with_proxy_protocol: expect } of behindProxy) if (expect?.sni) routed.add(expect.sni);

/** A server that says who it is and which connection this is, so that its bytes can be told from another's. */
function introduce(name: string): (peer: Peer, origin: Origin) => void {
  return (peer, origin) => {
    peer.send(`${name} ${origin.peers.length - 1}\n`);
    peer.socket.on("end", () => peer.finish());
  };
}

/** All cases at once, on one proxy. */
async function runCases(scope: Scope, combination: Combination, fallback: boolean): Promise<Map<string, Result>> {
  const a = await startOrigin(scope, { accept: introduce("A") });
  const d = await startOrigin(scope, { accept: introduce("D") });
  const routes = Object.fromEntries([...routed].map((name) => [name, a.address]));
  const proxy = await startProxy(scope, combination, {
    config: {
      listeners: [
        { address: "127.0.0.1:0" },
        { address: "127.0.0.1:0", proxyProtocol: true, trustedProxies: ["127.0.0.0/8"] },
      ],
      routes: fallback ? { ...routes, default: d.address } : routes,
      timeouts: { preread: `${PREREAD}ms` },
    },
  });

  async function runCase(one: Case, endpoint: string): Promise<Result> {
    const client = await dial(scope, endpoint);
    const chunks = one.chunks.map((hex) => Buffer.from(hex, "hex"));
    const gap = one.gap_ms ?? (chunks.length >= 70 ? 5 : 30);
    for (const [index, chunk] of chunks.entries()) {
      if (index > 0) await pause(gap);
      client.send(chunk);
    }
    if (one.end === "fin") client.finish();
    const introduced = client.receiveText("\n", DEADLINE).catch(() => undefined);
    await Promise.race([introduced, client.untilEnd(DEADLINE)]);
    const [, name = "", number] = /^([AD]) (\d+)\n$/.exec(client.text) ?? [];
    const sent = Buffer.concat(chunks);
    const server = (name === "A" ? a : d).peers[Number(number ?? -1)];
    // A short wait for all bytes, trailing ones too, is the FIN's, which comes behind them.
    client.finish();
    if (server !== undefined) assert.equal(await server.untilEnd(DEADLINE), "fin");
    const record = await proxy.recordOf(client, DEADLINE);
    assert.equal(proxy.log.recordsOf(client).length, 1);
    return { record, sent, reply: client.bytes, server: server && { name, bytes: server.bytes } };
  }

  const results = new Map<string, Result>();
  await Promise.all([
    ...all.map(async (one) => results.set(one.name, await runCase(one, proxy.endpoints[0] ?? ""))),
    ...behindProxy.map(async (one) => results.set(`PROXY ${one.name}`, await runCase(one, proxy.endpoints[1] ?? ""))),
  ]);
  assert.equal(a.peers.length + d.peers.length, [...results.values()].filter((result) => result.server).length);
  return results;
}

/** RFC 8446 §6.2: what is said to a hello that is broken in this way. */
function alertsFor(why: string): readonly string[] {
  if (/record longer/.test(why)) return ["record_overflow"];
  if (/handshake type|content type/.test(why)) return ["unexpected_message"];
  if (/record boundary/.test(why)) return ["unexpected_message"];
  // No section names an alert for the rest; where lengths disagree, what is seen first depends on who looks.
  if (/zero-length handshake record|\d+ left/.test(why))
    return ["decode_error", "illegal_parameter", "unexpected_message"];
  return ["decode_error", "illegal_parameter"];
}

function checkRefused({ record, reply, server }: Result, reason: string, alerts: readonly string[]): void {
  assert.equal(server, undefined, `it reached ${server?.name}`);
  assert.equal(record.reason, reason);
  assert.ok(alerts.includes(alertIn(reply)), `answered with ${alertIn(reply) || "nothing"} instead of ${alerts}`);
  assert.equal(record.upstream, undefined);
  assert.equal(record.bytesSent, reply.length);
}

function checkForwarded(result: Result, name: string, headerBytes: number): void {
  assert.equal(result.server?.name, name, `it reached ${result.server?.name ?? "nobody"}`);
  assert.deepEqual(result.server?.bytes, result.sent.subarray(headerBytes), "bytes that the server got");
  assert.equal(result.record.reason, "ok");
  assert.equal(result.record.bytesReceived, result.sent.length);
}

/** Throws unless `result` is what `expect` says. */
function check(result: Result, expect: Expectation, one: Case, fallback: boolean): void {
  const { record } = result;
  const headerBytes = expect.header_bytes ?? 0;
  switch (expect.outcome) {
    case "sni":
      assert.equal(record.serverName, expect.sni);
      if (expect.alpn !== undefined) assert.deepEqual(record.alpn ?? [], expect.alpn);
      if (routed.has(expect.sni ?? "")) checkForwarded(result, "A", headerBytes);
      else if (fallback) checkForwarded(result, "D", headerBytes);
      else checkRefused(result, "no_route", ["unrecognized_name"]);
      return;
    case "no_sni":
      assert.equal(record.serverName, undefined);
      if (fallback) checkForwarded(result, "D", headerBytes);
      else {
        const alert = expect.versions?.includes("0x0304") ? "missing_extension" : "unrecognized_name";
        checkRefused(result, "no_server_name", [alert]);
      }
      return;
    case "not_tls":
      checkRefused(result, "not_tls", [""]);
      return;
    case "malformed":
      if (headerBytes === 0 && one.with_proxy_protocol === expect) checkRefused(result, "malformed_proxy_header", [""]);
      else checkRefused(result, "malformed_hello", alertsFor(expect.why ?? ""));
      return;
    case "incomplete": {
      const isFin = one.end === "fin";
      checkRefused(result, isFin ? "client_left" : "preread_timeout", [""]);
      if (!isFin) assert.ok(record.duration >= PREREAD - 50, `given up after ${record.duration} ms`);
    }
  }
}

/** @returns whether it took one of the other answers that are allowed. */
function checkAny(result: Result, expect: Expectation, one: Case, fallback: boolean): boolean {
  try {
    check(result, expect, one, fallback);
    return false;
  } catch (error) {
    for (const other of expect.any ?? []) {
      try {
        // What is read from a hello is the same, however the hello is judged.
        check(
          result,
          { ...other, ...(expect.versions === undefined ? {} : { versions: expect.versions }) },
          one,
          fallback,
        );
        return true;
      } catch {
        // The first answer's error says more.
      }
    }
    throw error;
  }
}

forEachCombination((combination) => {
  for (const fallback of [false, true]) {
    describe(fallback ? "default is a server" : "default is reject", () => {
      const scope = suiteScope();
      let results: Map<string, Result>;
      const byAny: string[] = [];

      before(async () => {
        results = await runCases(scope, combination, fallback);
      });

      const resultOf = (name: string): Result => {
        const result = results.get(name);
        assert.ok(result, "it did not run");
        return result;
      };

      for (const one of all) {
        test(one.name, () => {
          if (checkAny(resultOf(one.name), one.expect, one, fallback)) byAny.push(one.name);
        });
      }

      for (const one of behindProxy) {
        const expect = one.with_proxy_protocol as Expectation;
        test(`${one.name}, behind a PROXY header`, () => {
          const result = resultOf(`PROXY ${one.name}`);
          check(result, expect, one, fallback);
          if (expect.src !== undefined) assert.equal(result.record.client, expect.src);
        });
      }

      test("third parties' cases", { skip: thirdParty.length > 0 ? false : "they are not here" }, () => {
        assert.ok(thirdParty.length > 0);
      });

      test("how many answers were not the first one", (t) => {
        t.diagnostic(`${all.length} cases; ${byAny.length} got another allowed answer: ${byAny.join(", ") || "none"}`);
      });
    });
  }
});
