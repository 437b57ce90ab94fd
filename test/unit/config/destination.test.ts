import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseDestination, parseTarget, refuseUpstreamName } from "../../../src/config/destination.ts";

const toAscii = (name: string): string => (name === "bücher.example" ? "xn--bcher-kva.example" : "");
const upstreams = new Set(["pool", "a.b", "127-1"]);

describe("parseDestination", () => {
  const good: Record<string, unknown> = {
    reject: { kind: "reject" },
    direct: { kind: "direct", port: undefined },
    "direct:8443": { kind: "direct", port: 8443 },
    pool: { kind: "upstream", name: "pool" },
    "a.b": { kind: "upstream", name: "a.b" },
    "10.0.0.1": { kind: "ip", ip: "10.0.0.1", port: undefined },
    "10.0.0.1:443": { kind: "ip", ip: "10.0.0.1", port: 443 },
    "[::1]": { kind: "ip", ip: "::1", port: undefined },
    "[2001:DB8:0::1]:443": { kind: "ip", ip: "2001:db8::1", port: 443 },
    "[::ffff:10.0.0.1]:443": { kind: "ip", ip: "10.0.0.1", port: 443 },
    "Host.Example.:443": { kind: "host", name: "host.example", port: 443 },
    "bücher.example:443": { kind: "host", name: "xn--bcher-kva.example", port: 443 },
    "localhost:1": { kind: "host", name: "localhost", port: 1 },
    "unix:/run/a.sock": { kind: "unix", path: "/run/a.sock" },
  };
  for (const [text, expected] of Object.entries(good)) {
    test(text, () => assert.deepEqual(parseDestination(text, upstreams, toAscii), expected));
  }

  test("any text gives a destination or a reason, and what is dialled has a sound port", () => {
    const piece = fc.constantFrom(..."direct|:|[|]|::1|10.0.0.1|.|0|443|99999|unix:|/|a|pool|reject| ".split("|"));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const result = parseDestination(pieces.join(""), upstreams, toAscii);
        if ("error" in result) assert.ok(result.error.length > 0);
        else if ("port" in result && result.port !== undefined) assert.ok(result.port > 0 && result.port < 65536);
      }),
    );
  });
});

test("a server is never direct, reject or an upstream", () => {
  for (const text of ["direct", "reject", "pool", "direct:x"]) assert.ok("error" in parseTarget(text, toAscii), text);
});

test("names of upstreams cannot be taken for anything else", () => {
  for (const name of ["pool", "a.b", "Pool_2", "7up", "a".repeat(64)])
    assert.equal(refuseUpstreamName(name), undefined, name);
  const refused = [
    "direct",
    "reject",
    "default",
    "",
    "_a",
    "-a",
    ".a",
    "a:1",
    "a/b",
    "[::1]",
    "10.0.0.1",
    "443",
    "127.1",
  ];
  for (const name of [...refused, "__proto__", "ü", "a b", "a".repeat(65), "unix:/a"])
    assert.ok(refuseUpstreamName(name), name);
});
