import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatConfigError, loadConfig } from "../../../src/config/load.ts";

/** Faults of a file with these routes and upstreams. */
function faults(rest: string): string[] {
  const loaded = loadConfig(`listeners: [{ address: 10.0.0.1:443 }]\n${rest}`, { path: "t", toAscii: (name) => name });
  return "config" in loaded ? [] : loaded.errors.map(formatConfigError);
}

const VIA = "via: 'socks5://10.0.0.9:1080'";
const UNIX = "a proxy cannot lead to a unix: socket of this machine; put it in an upstream without via";

describe("via, bind and what they lead to", () => {
  test("servers that DNS names are not found behind a proxy", () => {
    const upstream = (server: string) =>
      faults(`routes: { a.com: p }\nupstreams: { p: { servers: [${server}], ${VIA} } }`)[0] ?? "";
    const reason = "behind the via of 'p': the proxy resolves names itself; write host:port";
    assert.match(upstream('{ address: "b.com:1", resolve: true }'), new RegExp(`Cannot use resolve ${reason}`));
    assert.match(upstream("{ service: _https._tcp.b.com }"), new RegExp(`Cannot use service ${reason}`));
  });

  test("health checks do not go through proxies, and need not where only a route has one", () => {
    const pool = (more: string) => `upstreams: { p: { servers: [10.0.0.2], healthCheck: tcp${more} } }`;
    assert.deepEqual(faults(`routes: { a.com: p }\n${pool(`, ${VIA}`)}`), [
      "t:3:40: Cannot use healthCheck behind the via of 'p': checks go straight to the servers, not through proxies; remove it, or set via on the routes instead",
    ]);
    assert.deepEqual(faults(`routes: { a.com: { to: p, ${VIA} } }\n${pool("")}`), []);
  });

  test("any destination but those where they would do nothing", () => {
    assert.deepEqual(
      faults(
        `routes: { a.com: { to: direct, ${VIA}, bind: 10.0.0.1 }, b.com: { to: "c.com:1", bind: ["::1"] }, d.com: { to: p, ${VIA} } }\nupstreams: { p: { servers: [10.0.0.2] } }`,
      ),
      [],
    );
  });

  test("where they would do nothing", () => {
    const message = (option: string, route: string, reason: string): RegExp =>
      new RegExp(`Cannot use ${option} on the route '${route}': ${reason}`);
    assert.match(
      faults(`routes: { a.com: { to: reject, ${VIA} } }`)[0] ?? "",
      message("via", "a.com", "nothing is connected"),
    );
    assert.match(
      faults("routes: { a.com: { to: 'unix:/a', bind: 10.0.0.1 } }")[0] ?? "",
      message("bind", "a.com", "a unix: socket is on this machine"),
    );
    assert.match(
      faults(`routes: { default: { to: "10.0.0.2:1", ${VIA} } }`)[0] ?? "",
      message("via", "default", "default takes none; route it to an upstream that has it"),
    );
  });

  test("allowPrivate, where the proxy decides", () => {
    assert.match(
      faults(`routes: { a.com: { to: direct, allowPrivate: true, ${VIA} } }`)[0] ?? "",
      /Cannot use allowPrivate on the route 'a\.com': the proxy of via resolves names/,
    );
  });

  test("a unix: server behind a proxy", () => {
    const pool = `servers: ["10.0.0.2:1", "unix:/a"]`;
    assert.deepEqual(faults(`routes: { a.com: p }\nupstreams: { p: { ${pool}, ${VIA} } }`), [
      `t:3:43: Cannot reach a server of 'p' by via: ${UNIX}`,
    ]);
    assert.deepEqual(faults(`routes: { a.com: { to: p, ${VIA} } }\nupstreams: { p: { ${pool} } }`), [
      `t:2:27: Cannot use via on the route 'a.com': ${UNIX}`,
    ]);
  });

  test("bind is one address of each family", () => {
    assert.match(
      faults("routes: { a.com: { to: direct, bind: [10.0.0.1, 10.0.0.2] } }")[0] ?? "",
      /it must name one IPv4 and one IPv6 address at most/,
    );
    assert.match(faults("routes: { a.com: { to: direct, bind: eth0 } }")[0] ?? "", /an IP address of this machine/);
  });
});

describe("the PROXY header for servers", () => {
  const header = (text: string): string =>
    faults(`routes: { a.com: p }\nupstreams: { p: { servers: [10.0.0.2], proxyProtocol: ${text} } }`).join();

  test("short and long", () => {
    assert.equal(header("v1"), "");
    assert.equal(header("{ authority: true, alpn: true, uniqueId: true, checksum: true }"), "");
    assert.match(header("{ version: v1, alpn: true }"), /version v1 has room for addresses only; write version: v2/);
    assert.match(header("{ authorty: true }"), /did you mean 'authority'/);
  });
});
