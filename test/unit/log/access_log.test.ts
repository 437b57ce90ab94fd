import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectionRecord, newRecord } from "../../../src/connection_record.ts";
import { compileLineFormat, jsonLine, textLine } from "../../../src/log/access_log.ts";

const PEER = { kind: "tcp", ip: "10.0.0.9", port: 50000 } as const;
const SERVER = { kind: "tcp", ip: "10.0.0.5", port: 443 } as const;

function record(changes: Partial<ConnectionRecord> = {}): ConnectionRecord {
  return {
    ...newRecord(7, Date.UTC(2026, 0, 2, 3, 4, 5), "0.0.0.0:443", "tls", PEER, SERVER),
    serverName: "shop.example.test",
    alpn: ["h2", "http/1.1"],
    tlsVersions: [0x0a0a, 0x0304, 0x0303],
    route: "*.example.test",
    attempts: [
      { address: "192.0.2.1:443", outcome: "ECONNREFUSED" },
      { address: "192.0.2.2:443", outcome: "" },
    ],
    connectTime: 12.345,
    bytesReceived: 517,
    bytesSent: 4096,
    duration: 1500.06,
    reason: "ok",
    ...changes,
  };
}

function template(format: string, changes: Partial<ConnectionRecord> = {}): string {
  return compileLineFormat(format)(record(changes));
}

describe("access log", () => {
  test("JSON has every field of the connection", () => {
    assert.deepEqual(JSON.parse(jsonLine(record())), {
      time: "2026-01-02T03:04:06.500Z",
      client: "10.0.0.9:50000",
      listener: "0.0.0.0:443",
      protocol: "tls",
      serverName: "shop.example.test",
      alpn: ["h2", "http/1.1"],
      route: "*.example.test",
      upstream: ["192.0.2.1:443 (ECONNREFUSED)", "192.0.2.2:443"],
      connectTime: 12.3,
      bytesReceived: 517,
      bytesSent: 4096,
      duration: 1500.1,
      reason: "ok",
    });
  });

  test("JSON says who the peer was when a PROXY header named another client", () => {
    const client = { kind: "tcp", ip: "192.0.2.77", port: 1234 } as const;
    const parsed = JSON.parse(jsonLine(record({ client })));
    assert.equal(parsed.client, "192.0.2.77:1234");
    assert.equal(parsed.peer, "10.0.0.9:50000");
  });

  test("text is one line of words", () => {
    assert.equal(
      textLine(record()),
      '2026-01-02T03:04:06.500Z 10.0.0.9:50000 -> 0.0.0.0:443 tls shop.example.test alpn=h2,http/1.1 route=*.example.test upstream="192.0.2.1:443 (ECONNREFUSED)",192.0.2.2:443 connect=12.3ms in=517 out=4096 took=1500.1ms ok',
    );
  });

  test("what a dry run would have refused is in every format", () => {
    const changes = { wouldReject: "per_client_limit" } as const;
    assert.equal(JSON.parse(template("json", changes)).wouldReject, "per_client_limit");
    assert.match(template("text", changes), / dry-run=per_client_limit ok$/);
    assert.equal(template("$reason $would_reject", changes), "ok per_client_limit");
    assert.equal(template("$would_reject"), "-");
  });

  test("what the wire sent cannot break a line in any format", () => {
    const client = { kind: "unix", path: '/tmp/\u001b[2J\r\nFAKE "q" \u00ff' } as const;
    const hostile = { client, alpn: ['x\n{"reason":"ok"}', "\u001b[2J", "\u0085"], detail: 'a"b\r\n' };
    for (const format of ["json", "text", "$remote_addr [$ssl_preread_alpn_protocols] $detail"]) {
      assert.match(template(format, hostile), /^[\x20-\x7e]+$/, format);
    }
    assert.deepEqual(JSON.parse(template("json", hostile)).alpn, hostile.alpn);
  });

  test("templates take nginx's variables", () => {
    assert.equal(
      template("$remote_addr [$time_iso8601] ${protocol} $ssl_preread_server_name $upstream_addr $session_time"),
      "10.0.0.9 [2026-01-02T03:04:06.500Z] tls shop.example.test 192.0.2.1:443, 192.0.2.2:443 1.500",
    );
    assert.equal(template("$ssl_preread_protocol $upstream_connect_time$"), "TLSv1.3 0.012$");
    assert.equal(template("<$host>"), "<->");
  });

  test("a variable that does not exist is a fault of the caller", () => {
    assert.throws(() => compileLineFormat("$remote_addr $nope"), /Cannot log \$nope/);
    assert.throws(() => compileLineFormat("$constructor"), TypeError);
  });
});
