import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { holdsAddress } from "../../../src/cidr_set.ts";
import type { Config } from "../../../src/config/config.ts";
import { type ConfigError, configFromObject, formatConfigError, loadConfig } from "../../../src/config/load.ts";
import { routesOf } from "../../../src/route_table/route_reader.ts";

const toAscii = (name: string): string => (name === "bücher.example" ? "xn--bcher-kva.example" : "");
const options = { path: "c.yaml", toAscii };

function errorsOf(text: string): readonly ConfigError[] {
  const loaded = loadConfig(text, options);
  return "errors" in loaded ? loaded.errors : [];
}

function configOf(text: string): Config {
  const loaded = loadConfig(text, options);
  if ("errors" in loaded) assert.fail(loaded.errors.map(formatConfigError).join("\n"));
  return loaded.config;
}

/** The faults of `text`, each as `line:column code message`. */
function faults(text: string): string[] {
  return errorsOf(text).map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
}

/** Eight lines of a valid file; `more` begins on line 9. */
const BASE = `listeners:
  - address: 0.0.0.0:443
  - address: unix:/run/a.sock
    protocol: http
    routes: {}
routes:
  a.com: direct
  default: reject
`;

describe("a valid file", () => {
  test("gives defaults for all that is left out", () => {
    const config = configOf("listeners: [{ address: '[::]:443' }]\nroutes: {}\n");
    const { trustedProxies, routes, ...listener } = config.listeners[0]!;
    assert.deepEqual([routes.size, routes.default], [0, { kind: "reject" }]);
    assert.equal(trustedProxies.size, 0);
    assert.deepEqual(listener, {
      endpoint: { kind: "tcp", ip: "::", port: 443 },
      protocol: "tls",
      kinds: undefined,
      proxyProtocol: false,
      redirectToHttps: undefined,
    });
    assert.equal(config.listeners[0]?.routes, config.routes);
    assert.equal(config.upstreams.size, 0);
    const { listeners: _, routes: __, upstreams: ___, ...rest } = config;
    assert.deepEqual(rest, {
      timeouts: { preread: 10_000, connect: 15_000, idle: 3_600_000, drain: 30_000 },
      resolver: {
        servers: [],
        timeout: 5_000,
        families: undefined,
        minTtl: 1_000,
        maxTtl: 3_600_000,
        staleFor: 86_400_000,
      },
      selfAddresses: [],
      limits: { connections: "auto", dryRun: false, prereadBytes: 65_536, prereadTotal: 67_108_864 },
      log: { access: { path: "stdout", format: "text" } },
      tcp: { bind: [], fastOpen: false, userTimeout: 0 },
      adapter: "auto",
      watch: false,
      workers: 1,
    });
  });

  test("is read whole", () => {
    const config = configOf(`
listeners:
  - address: 10.0.0.1:443
    proxyProtocol: true
    trustedProxies: [10.0.0.0/8, 192.0.2.1]
  - { address: "0.0.0.0:80", protocol: http, redirectToHttps: 8443 }
  - { address: "0.0.0.0:81", protocol: http, redirectToHttps: true, routes: { default: pool } }
upstreams:
  pool:
    balance: round_robin
    proxyProtocol: v2
    servers:
      - 10.0.0.2
      - { address: "Host.Example.:8443", weight: 3, backup: true }
      - unix:/run/b.sock
      - "[2001:DB8::1]:443"
timeouts: { preread: 500ms, connect: 3s, idle: 2m, drain: 0s }
resolver: { servers: [192.0.2.53, "[2001:db8::53]", "192.0.2.53:5353"], timeout: 1s, families: [ipv4], minTtl: 0s }
limits: { connections: 100, prereadBytes: 16384, prereadTotal: 1MB }
log: { access: { path: /var/log/a.log, format: "$remote_addr $reason" } }
adapter: bun
routes: { default: 10.0.0.3:443 }
`);
    assert.equal(holdsAddress(config.listeners[0]!.trustedProxies, "10.1.2.3"), true);
    assert.deepEqual(
      config.listeners.map((listener) => listener.redirectToHttps),
      [undefined, 8443, 443],
    );
    assert.equal(config.listeners[2]?.routes.size, 0);
    assert.deepEqual(config.listeners[2]?.routes.default, { kind: "upstream", name: "pool" });
    const plain = {
      weight: 1,
      backup: false,
      down: false,
      maxConnections: 0,
      maxFails: 1,
      failTimeout: 10_000,
      slowStart: 0,
    };
    assert.deepEqual(config.upstreams.get("pool"), {
      name: "pool",
      balance: { kind: "round_robin" },
      proxyProtocol: { version: 2, authority: false, alpn: false, uniqueId: false, checksum: false },
      via: undefined,
      bind: undefined,
      nextServer: { tries: 0, timeout: 0 },
      queue: undefined,
      healthCheck: undefined,
      servers: [
        { target: { kind: "ip", ip: "10.0.0.2", port: undefined }, ...plain },
        { target: { kind: "host", name: "host.example", port: 8443 }, ...plain, weight: 3, backup: true },
        { target: { kind: "unix", path: "/run/b.sock" }, ...plain },
        { target: { kind: "ip", ip: "2001:db8::1", port: 443 }, ...plain },
      ],
    });
    assert.deepEqual(config.timeouts, { preread: 500, connect: 3000, idle: 120_000, drain: 0 });
    assert.deepEqual(config.resolver, {
      servers: ["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.53:5353"],
      timeout: 1000,
      families: ["ipv4"],
      minTtl: 0,
      maxTtl: 3_600_000,
      staleFor: 86_400_000,
    });
    assert.deepEqual(config.limits, { connections: 100, dryRun: false, prereadBytes: 16384, prereadTotal: 1_000_000 });
    assert.deepEqual(config.log, { access: { path: "/var/log/a.log", format: "$remote_addr $reason" } });
    assert.equal(config.adapter, "bun");
    assert.equal(config.routes.default.kind, "ip");
  });

  test("routes keep their order, their text and their line", () => {
    const { routes } = configOf(
      `${BASE.replace("a.com: direct", "A.com: direct:8443")}  "*.b.com": { to: direct, allowPrivate: true }
  ~^c: 10.0.0.1
  bücher.example: d.example:1
  0: unix:/run/a
  1e3: "[::1]"
  __proto__: reject
`,
    );
    assert.deepEqual(
      [...routesOf(routes)].map(({ text, line, to, allowPrivate }) => [text, line, to.kind, allowPrivate]),
      // A JavaScript object puts keys that are whole numbers first.
      [
        ["0", 12, "unix", false],
        ["A.com", 7, "direct", false],
        ["*.b.com", 9, "direct", true],
        ["~^c", 10, "ip", false],
        ["bücher.example", 11, "host", false],
        ["1e3", 13, "ip", false],
        ["__proto__", 14, "reject", false],
      ],
    );
    assert.deepEqual([...routesOf(routes)][1], {
      kind: "exact",
      name: "a.com",
      to: { kind: "direct", port: 8443 },
      allowPrivate: false,
      via: undefined,
      bind: undefined,
      text: "A.com",
      line: 7,
    });
  });

  test("log.access: false is no log", () =>
    assert.equal(configOf(`${BASE}log: { access: false }\n`).log.access, undefined));

  test("an alias is the value it stands for", () => {
    const config = configOf(`${BASE}upstreams:\n  a: &pool { servers: [10.0.0.1] }\n  b: *pool\n`);
    assert.deepEqual(config.upstreams.get("a")?.servers, config.upstreams.get("b")?.servers);
  });

  test("port 0 may be listened on twice", () => {
    assert.equal(
      configOf("listeners: [{address: '0.0.0.0:0'}, {address: '0.0.0.0:0'}]\nroutes: {}").listeners.length,
      2,
    );
  });

  test("routes may be left out where every listener has its own; a redirect alone needs them too", () => {
    const own = "{ address: 10.0.0.1:1, routes: { default: 10.0.0.2:1 } }";
    const redirect = "{ address: 10.0.0.1:2, protocol: http, redirectToHttps: true }";
    assert.equal(configOf(`listeners: [${own}]`).routes.size, 0);
    assert.match(faults(`listeners: [${own}, ${redirect}]`).join(), /the key 'routes' is missing/);
  });

  for (const name of ["intranet", "upstreams", "http_and_tls", "egress", "databases"]) {
    test(`examples/${name}.yaml`, () => {
      const text = readFileSync(new URL(`../../../examples/${name}.yaml`, import.meta.url), "utf8");
      assert.ok(configOf(text).listeners.length > 0);
    });
  }
});

const TOP =
  "include, listeners, routes, upstreams, timeouts, resolver, selfAddresses, limits, log, tcp, admin, watch, user, group, adapter and workers";
const DURATION = "it must be a duration with its unit, such as 500ms, 10s, 5m, 1h or 1d";
const SIZE = "it must be a size such as 64KiB, 10MB or 4096 (bytes)";

describe("faults of the YAML", () => {
  const cases: Record<string, string[]> = {
    "": ["1:1 empty Cannot read the configuration: the file is empty; it needs listeners and routes"],
    "# nothing\n---\n": ["1:1 empty Cannot read the configuration: the file is empty; it needs listeners and routes"],
    hello: [`1:1 wrong_type Cannot use the configuration 'hello': it must be a map with the keys ${TOP}`],
    "- a": [`1:1 wrong_type Cannot use the configuration: it must be a map with the keys ${TOP}`],
    "\tlisteners: 1": ["1:1 yaml_syntax Cannot read the YAML: Tabs are not allowed as indentation"],
    [`${BASE}---\nroutes: {}\n`]: ["9:1 yaml_documents Cannot read the YAML: a second document begins here; keep one"],
    "%YAML 1.1\n---\na: 1\n": ["1:1 yaml_syntax Cannot read YAML 1.1: remove the %YAML line, 1.2 is meant"],
    [`${BASE}adapter: !runtime node\n`]: ["9:10 yaml_syntax Cannot read the YAML: Unresolved tag: !runtime"],
    [`${BASE}adapter: *nobody\n`]: [
      "9:10 yaml_alias Cannot read the YAML alias '*nobody': nothing before it has that anchor",
    ],
    [`${BASE}log: &log { access: *log }\n`]: [
      "9:21 yaml_alias Cannot read the YAML alias '*log': nothing before it has that anchor",
    ],
    [`${BASE}? [a]\n: 1\n`]: ["9:3 yaml_syntax Cannot use a list, a map or an alias as a key: a key is plain text"],
    [`${BASE}adapter: node\nadapter: bun\n`]: [
      "10:1 duplicate_key Cannot use the key 'adapter' twice: it is already on line 9",
    ],
    [`${BASE}  a.com: reject\n`]: [
      "9:3 duplicate_key Cannot use the key 'a.com' in routes twice: it is already on line 7",
    ],
    [`${BASE}adapter: ${"[".repeat(20)}{a: ${"[".repeat(20)}${"]".repeat(20)}}${"]".repeat(20)}\n`]: [
      "9:10 bad_value Cannot use adapter: it must be auto, linux, node, deno or bun",
      "9:45 too_deep Cannot read the YAML: it is nested too deeply",
    ],
  };
  for (const [text, expected] of Object.entries(cases)) {
    test(expected[0]!, () => assert.deepEqual(faults(text), expected));
  }

  test("two mistakes in the syntax are two errors", () => {
    const errors = errorsOf("routes: { a: 1 b: 2 }\nlog: [1\n");
    assert.ok(errors.length >= 2);
    assert.ok(errors.every((error) => error.code === "yaml_syntax"));
    assert.deepEqual([errors[0]?.line, errors.at(-1)?.line], [1, 3]);
  });

  test("aliases may not multiply", () => {
    let bomb = `${BASE}upstreams: &a0 [x, x, x, x, x, x, x, x, x, x]\n`;
    for (let i = 1; i < 9; i++)
      bomb += `k${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(", ")}]\n`;
    assert.ok(errorsOf(bomb).some((error) => error.message.endsWith("its aliases stand for too many values")));
  });

  for (const open of ["[", "{a: ", "- ", "? ", "a: [", "&a [", "'"]) {
    test(`50,000 times ${JSON.stringify(open)} is refused`, () => assert.ok(errorsOf(open.repeat(50_000)).length > 0));
  }
});

describe("faults of single options", () => {
  /** What stands behind `BASE`, from line 9 on, and its faults. */
  const cases: [string, ...string[]][] = [
    ["foo: 1", `9:1 unknown_key Cannot use the key 'foo': there is no such option; the keys are ${TOP}`],
    [
      "timeuots: {}",
      "9:1 unknown_key Cannot use the key 'timeuots': there is no such option; did you mean 'timeouts'?",
    ],
    [
      "timeouts:\n  idel: 1h",
      "10:3 unknown_key Cannot use the key 'idel' in timeouts: there is no such option; did you mean 'idle'?",
    ],
    [
      "resolver: { foo: 1 }",
      "9:13 unknown_key Cannot use the key 'foo' in resolver: there is no such option; the keys are servers, timeout, families, minTtl, maxTtl and staleFor",
    ],
    ["__proto__: 1", `9:1 unknown_key Cannot use the key '__proto__': there is no such option; the keys are ${TOP}`],
    [
      "timeouts: 5",
      "9:11 wrong_type Cannot use timeouts 5: it must be a map with the keys preread, connect, idle and drain",
    ],
    [
      "timeouts:",
      "9:1 wrong_type Cannot use timeouts: it is empty; it must be a map with the keys preread, connect, idle and drain",
    ],
    ["timeouts: { idle: 10 }", `9:19 wrong_type Cannot use timeouts.idle 10: ${DURATION}`],
    ["timeouts: { idle: 1.5s }", `9:19 bad_value Cannot use timeouts.idle '1.5s': ${DURATION}`],
    ["timeouts: { idle: '10' }", `9:19 bad_value Cannot use timeouts.idle '10': ${DURATION}`],
    ["timeouts: { idle: 0s }", "9:19 bad_value Cannot use timeouts.idle '0s': it must be from 1ms to 24d"],
    ["timeouts: { drain: 25d }", "9:20 bad_value Cannot use timeouts.drain '25d': it must be from 0s to 24d"],
    ["limits: { prereadBytes: 64k }", `9:25 bad_value Cannot use limits.prereadBytes '64k': ${SIZE}`],
    ["limits: { prereadBytes: -1 }", `9:25 bad_value Cannot use limits.prereadBytes -1: it must be from 1KiB to 64KiB`],
    [
      "limits: { prereadBytes: 65KiB }",
      "9:25 bad_value Cannot use limits.prereadBytes '65KiB': it must be from 1KiB to 64KiB",
    ],
    [
      "limits: { prereadBytes: 1000 }",
      "9:25 bad_value Cannot use limits.prereadBytes 1000: it must be from 1KiB to 64KiB",
    ],
    ["limits: { prereadTotal: [] }", `9:25 wrong_type Cannot use limits.prereadTotal: ${SIZE}`],
    [
      "limits: { connections: 0 }",
      "9:24 bad_value Cannot use limits.connections 0: it must be a whole number from 1, or auto",
    ],
    [
      "limits: { connections: many }",
      "9:24 wrong_type Cannot use limits.connections 'many': it must be a whole number from 1, or auto",
    ],
    [
      "log: { access: true }",
      "9:16 wrong_type Cannot use log.access true: it must be false, or a map with path and format",
    ],
    [
      "log: { access: { paht: a } }",
      "9:18 unknown_key Cannot use the key 'paht' in log.access: there is no such option; did you mean 'path'?",
    ],
    [
      "log: { access: { format: jsn } }",
      "9:26 bad_value Cannot use log.access.format 'jsn': it must be text, json or a line with $variables; did you mean 'json'?",
    ],
    [
      'log: { access: { format: "$a\\n" } }',
      "9:26 bad_value Cannot use log.access.format '$a\\x0a': it must be one line, without control characters",
    ],
    [
      'log: { access: { format: "$remote_adr" } }',
      "9:26 bad_value Cannot use log.access.format '$remote_adr': there is no variable $remote_adr; did you mean 'remote_addr'?",
    ],
    [
      "log: { access: { path: '' } }",
      "9:24 bad_value Cannot use log.access.path '': it must be stdout, stderr or the path of a file",
    ],
    [
      "adapter: dino",
      "9:10 bad_value Cannot use adapter 'dino': it must be auto, linux, node, deno or bun; did you mean 'deno'?",
    ],
    [
      "resolver: { servers: [dns.example, 2001:db8::1] }",
      "9:23 bad_value Cannot use resolver.servers[0] 'dns.example': it must be an IP address, with or without a port; an IPv6 address stands in brackets: [2001:db8::1]:443",
      "9:36 bad_value Cannot use resolver.servers[1] '2001:db8::1': it must be an IP address, with or without a port; an IPv6 address stands in brackets: [2001:db8::1]:443",
    ],
    [
      "upstreams:\n  a: {}\n  b: { servers: [] }\n  c: 5\n  direct: { servers: [10.0.0.1] }\n  10.0.0.1: { servers: [10.0.0.1] }",
      "10:3 missing_key Cannot use upstreams.a: the key 'servers' is missing; it must be a list of servers",
      "11:17 bad_value Cannot use upstreams.b.servers: it must name at least one server",
      "12:6 wrong_type Cannot use upstreams.c 5: it must be a map with the keys balance, servers, proxyProtocol, via, bind, nextServer, queue and healthCheck",
      "13:3 bad_value Cannot name an upstream 'direct': direct has a meaning of its own in routes",
      "14:3 bad_value Cannot name an upstream '10.0.0.1': it looks like an IP address",
    ],
    [
      "upstreams:\n  a:\n    proxyProtocol: true\n    balance: radnom\n    servers: [x, 5, { weight: 2 }, { address: a:1, wieght: 2 }, { address: a:0, weight: 0, backup: no }]",
      "11:20 wrong_type Cannot use upstreams.a.proxyProtocol true: it must be v1, v2 or a map with version, authority, alpn, uniqueId",
      "12:14 bad_value Cannot use upstreams.a.balance 'radnom': there is no such method; did you mean 'random'?",
      "13:15 bad_value Cannot use upstreams.a.servers[0] 'x': a host name needs a port, as in api.example.com:443",
      "13:18 wrong_type Cannot use upstreams.a.servers[1] 5: it must be host:port, IP:port or unix:/path, or a map with address",
      "13:21 bad_value Cannot use upstreams.a.servers[2]: the key 'address' is missing; it must be host:port, IP:port or unix:/path",
      "13:52 unknown_key Cannot use the key 'wieght' in upstreams.a.servers[3]: there is no such option; did you mean 'weight'?",
      "13:76 bad_value Cannot use upstreams.a.servers[4].address 'a:0': a port is a number from 1 to 65535",
      "13:89 bad_value Cannot use upstreams.a.servers[4].weight 0: it must be a whole number from 1 to 1000",
      "13:100 wrong_type Cannot use upstreams.a.servers[4].backup 'no': it must be true or false",
    ],
  ];
  for (const [more, ...expected] of cases) {
    test(expected[0]!, () => assert.deepEqual(faults(`${BASE}${more}\n`), expected));
  }
});

describe("faults of listeners", () => {
  const LISTENER =
    "address, protocol, ssh, other, silent, silentAfter, proxyProtocol, trustedProxies, redirectToHttps, allow, deny, access, dryRun, rate and routes";
  const BRACKETS = "an IPv6 address stands in brackets: [2001:db8::1]:443";
  /** The list items, from line 3 on. */
  const cases: [string, ...string[]][] = [
    [
      "- address: :443",
      "3:12 bad_value Cannot use listeners[0].address ':443': write 0.0.0.0:443 (IPv4) or [::]:443 (IPv6 and IPv4)",
    ],
    [
      "- address: '*:443'",
      "3:12 bad_value Cannot use listeners[0].address '*:443': write 0.0.0.0:443 (IPv4) or [::]:443 (IPv6 and IPv4)",
    ],
    [
      "- address: '443'",
      "3:12 bad_value Cannot use listeners[0].address '443': write 0.0.0.0:443 (IPv4) or [::]:443 (IPv6 and IPv4)",
    ],
    [
      "- address: 443",
      "3:12 wrong_type Cannot use listeners[0].address 443: it must be IP:port or unix:/path, such as 0.0.0.0:443",
    ],
    [
      "- address: ':::443'",
      `3:12 bad_value Cannot use listeners[0].address ':::443': it must be IP:port or unix:/path; ${BRACKETS}`,
    ],
    [
      "- address: 0.0.0.0:70000",
      `3:12 bad_value Cannot use listeners[0].address '0.0.0.0:70000': it must be IP:port or unix:/path; ${BRACKETS}`,
    ],
    [
      "- protcol: tls",
      "3:3 missing_key Cannot use listeners[0]: the key 'address' is missing; it must be IP:port or unix:/path, such as 0.0.0.0:443",
      "3:3 unknown_key Cannot use the key 'protcol' in listeners[0]: there is no such option; did you mean 'protocol'?",
    ],
    [
      "- 0.0.0.0:443",
      `3:3 wrong_type Cannot use listeners[0] '0.0.0.0:443': it must be a map with the keys ${LISTENER}`,
    ],
    [
      "- address: 10.0.0.1:443\n  protocol: tsl\n  redirectToHttps: 0\n  trustedProxies: [10.0.0.1/8, x]\n  proxyProtocol: 1",
      "4:13 bad_value Cannot use listeners[0].protocol 'tsl': it must be tls, http, postgres or any; did you mean 'tls'?",
      "5:20 bad_value Cannot use listeners[0].redirectToHttps 0: it must be true, false or a port from 1 to 65535",
      "6:20 bad_value Cannot use listeners[0].trustedProxies[0] '10.0.0.1/8': it has bits set behind the prefix; the network is 10.0.0.0/8",
      "6:32 bad_value Cannot use listeners[0].trustedProxies[1] 'x': it must be an IP address or a network such as 10.0.0.0/8",
      "7:18 wrong_type Cannot use listeners[0].proxyProtocol 1: it must be true or false",
    ],
    [
      "- address: 10.0.0.1:443\n  proxyProtocol: true",
      "4:18 conflict Cannot require a PROXY header: trustedProxies is empty, so that no peer could connect; name the proxies' networks",
    ],
    [
      "- address: 10.0.0.1:443\n  trustedProxies: [10.0.0.0/8]",
      "4:19 conflict Cannot use trustedProxies: without 'proxyProtocol: true' no PROXY header is read",
    ],
    [
      "- address: 10.0.0.1:443\n  redirectToHttps: true",
      "4:20 conflict Cannot use redirectToHttps: clients of this listener speak TLS already; it needs 'protocol: http' or 'any'",
    ],
    [
      "- address: 10.0.0.1:443\n- address: '[::ffff:10.0.0.1]:443'\n- address: unix:/a\n- address: unix:/a\n  routes: {}",
      "4:12 duplicate_listener Cannot listen on 10.0.0.1:443 twice: listeners[0] does already; remove one",
      "6:12 duplicate_listener Cannot listen on unix:/a twice: listeners[2] does already; remove one",
    ],
    [
      "- address: '[::]:443'\n- address: 0.0.0.0:443\n- address: 0.0.0.0:80",
      "4:12 duplicate_listener Cannot listen on 0.0.0.0:443 and [::]:443: the latter takes IPv4 as well; remove 0.0.0.0:443",
    ],
    [
      "- address: 10.0.0.1:443\n  adress: 10.0.0.1:443\n  routes: { a.com: nowhere }",
      "4:3 unknown_key Cannot use the key 'adress' in listeners[0]: there is no such option; did you mean 'address'?",
      "5:20 bad_destination Cannot route 'a.com' to 'nowhere': no upstream has that name; define it under upstreams, or write host:port",
    ],
  ];
  for (const [items, ...expected] of cases) {
    test(expected[0]!, () => assert.deepEqual(faults(`routes: { default: reject }\nlisteners:\n${items}\n`), expected));
  }

  test("a unix: listener has no port to pass on", () => {
    const text = `listeners: [{ address: unix:/a }]
routes:
  a.com: direct
  b.com: direct:443
  c.com: 10.0.0.1
  d.com: pool
  default: pool
upstreams: { pool: { servers: [10.0.0.1:1, 10.0.0.2] } }
`;
    const reason = "from a unix: listener: 'unix:/a' has no port of its own; write the destination's, as in direct:443";
    assert.deepEqual(faults(text), [
      `3:10 conflict Cannot route 'a.com' ${reason}`,
      `5:10 conflict Cannot route 'c.com' ${reason}`,
      `6:10 conflict Cannot route 'd.com' ${reason}`,
      `7:12 conflict Cannot route 'default' ${reason}`,
    ]);
  });

  for (const [text, expected] of [
    [
      "routes: {}\n",
      "1:1 missing_key Cannot use the configuration: the key 'listeners' is missing; it must be a list of listeners, such as '- address: 0.0.0.0:443'",
    ],
    [
      "routes: {}\nlisteners: []\n",
      "2:12 bad_value Cannot use listeners: it must have at least one listener, such as '- address: 0.0.0.0:443'",
    ],
    [
      "routes: {}\nlisteners: {}\n",
      "2:12 wrong_type Cannot use listeners: it must be a list of listeners, such as '- address: 0.0.0.0:443'",
    ],
    [
      "listeners: [{ address: 10.0.0.1:1 }]\n",
      "1:1 missing_key Cannot use the configuration: the key 'routes' is missing; it must be a map from names to destinations, such as 'api.example.com: direct'",
    ],
  ] as const) {
    test(expected, () => assert.deepEqual(faults(text), [expected]));
  }
});

describe("faults of routes", () => {
  const WRONG = "it must be a destination in text (an upstream, host:port, IP, direct, reject) or a map with to";
  const PORTS = "a port is a number from 1 to 65535";
  const OCTETS = "an IPv4 address has four numbers from 0 to 255 without leading zeros";
  const BRACKETS = "an IPv6 address stands in brackets: [2001:db8::1]:443";
  /** One more route, on line 9. */
  const cases: [string, ...string[]][] = [
    ["A.com.: reject", "9:3 duplicate_route Cannot use the route 'A.com.': 'a.com' on line 7 is for the same names"],
    [
      "a*.com: reject",
      "9:3 bad_pattern Cannot use the route 'a*.com': '*' stands for whole labels at one end only: '*.example.com' or 'mail.*'; for more use a regular expression, '~…'",
    ],
    [
      '"\\e[2Jx": reject',
      "9:3 bad_pattern Cannot use the route '\\x1b[2Jx': it is not a host name (letters, digits, '-' and '_' in labels of 1 to 63, 253 in all)",
    ],
    ["b.com: 443", `9:10 wrong_type Cannot route 'b.com' to 443: ${WRONG}`],
    ["b.com:", `9:3 wrong_type Cannot route 'b.com': ${WRONG}`],
    ["b.com: [direct]", `9:10 wrong_type Cannot route 'b.com': ${WRONG}`],
    ["b.com: ''", "9:10 bad_destination Cannot route 'b.com' to '': it is empty"],
    [
      "b.com: poool",
      "9:10 bad_destination Cannot route 'b.com' to 'poool': no upstream has that name; did you mean 'pool'?",
    ],
    [
      "b.com: Direct",
      "9:10 bad_destination Cannot route 'b.com' to 'Direct': no upstream has that name; did you mean 'direct'?",
    ],
    [
      "b.com: c.example.org",
      "9:10 bad_destination Cannot route 'b.com' to 'c.example.org': no upstream has that name; define it under upstreams, or write host:port",
    ],
    ["b.com: direct:0", `9:10 bad_destination Cannot route 'b.com' to 'direct:0': ${PORTS}`],
    ["b.com: c.org:99999", `9:10 bad_destination Cannot route 'b.com' to 'c.org:99999': ${PORTS}`],
    [
      "b.com: https://c.org",
      "9:10 bad_destination Cannot route 'b.com' to 'https://c.org': it must be host:port, without https:// and without a path",
    ],
    ["b.com: 10.0.0.256", `9:10 bad_destination Cannot route 'b.com' to '10.0.0.256': ${OCTETS}`],
    ["b.com: 127.1:443", `9:10 bad_destination Cannot route 'b.com' to '127.1:443': ${OCTETS}`],
    ["b.com: 0x7f000001:443", `9:10 bad_destination Cannot route 'b.com' to '0x7f000001:443': ${OCTETS}`],
    ["b.com: ::1:443", `9:10 bad_destination Cannot route 'b.com' to '::1:443': ${BRACKETS}`],
    ["b.com: '[::1]443'", `9:10 bad_destination Cannot route 'b.com' to '[::1]443': ${PORTS}`],
    ["b.com: '[::g]'", `9:10 bad_destination Cannot route 'b.com' to '[::g]': ${BRACKETS}`],
    [
      "b.com: unix:a",
      "9:10 bad_destination Cannot route 'b.com' to 'unix:a': the path after unix: must be absolute, of printable characters, at most 107 bytes",
    ],
    [
      "b.com: a..b:1",
      "9:10 bad_destination Cannot route 'b.com' to 'a..b:1': the part before the port is neither a host name nor an IP address",
    ],
    [
      "b.com: {}",
      "9:3 missing_key Cannot use routes['b.com']: the key 'to' is missing; it must be a destination: an upstream, host:port, IP, unix:/path, direct or reject",
    ],
    [
      "b.com: { to: poool, allowPrivate: yes }",
      "9:16 bad_destination Cannot route 'b.com' to 'poool': no upstream has that name; did you mean 'pool'?",
      "9:37 wrong_type Cannot use routes['b.com'].allowPrivate 'yes': it must be true or false",
    ],
    [
      "b.com: { to: poool }",
      "9:16 bad_destination Cannot route 'b.com' to 'poool': no upstream has that name; did you mean 'pool'?",
    ],
    [
      "b.com: { to: pool, allowPrivate: true }",
      "9:22 conflict Cannot use allowPrivate on the route 'b.com': only direct is ever kept from private addresses",
    ],
    [
      "b.com: { to: pool, prot: 1 }",
      "9:22 unknown_key Cannot use the key 'prot' in routes['b.com']: there is no such option; the keys are to, allowPrivate, allow, deny, access, dryRun, rate, onChange, via and bind",
    ],
  ];
  for (const [line, ...expected] of cases) {
    test(`${line}: ${expected[0]}`, () => {
      const found = faults(`${BASE}  ${line}\nupstreams: { pool: { servers: ["10.0.0.1"] } }\n`);
      assert.deepEqual(found, expected);
    });
  }

  const OPEN =
    "Cannot route 'default' to direct: anyone could reach any server through it (an open proxy); " +
    "list the names that may go direct, such as '*.example.com: direct'";
  for (const to of ["direct", "direct:443", "{ to: direct, allowPrivate: true }"]) {
    test(`default: ${to}`, () => {
      assert.deepEqual(faults(BASE.replace("default: reject", `default: ${to}`)), [`8:12 open_proxy ${OPEN}`]);
    });
  }

  test("wildcards and regular expressions may go direct", () => {
    assert.deepEqual(faults(`${BASE}  "*.b.com": direct\n  "~x$": direct\n`), []);
  });

  test("a regular expression that is none", () => {
    assert.match(
      faults(`${BASE}  "~(": direct\n`).join(),
      /^9:3 bad_pattern Cannot use the route '~\(': it is not a JavaScript/,
    );
  });

  test("routes must be a map", () => {
    const REASON = "it must be a map from names to destinations, such as 'api.example.com: direct'";
    const listener = "listeners: [{ address: 10.0.0.1:1 }]\n";
    assert.deepEqual(faults(`${listener}routes: [a]\n`), [`2:9 wrong_type Cannot use routes: ${REASON}`]);
    assert.deepEqual(faults(`${listener}routes:\n`), [`2:1 wrong_type Cannot use routes: it is empty; ${REASON}`]);
  });
});

describe("errors", () => {
  test("all faults come at once, in the order of the file", () => {
    const text = `adapter: bum
adapter: node
routes:
  a.com: nowhere
  default: direct
limits: { prereadBytes: 1 }
listeners:
  - adress: 10.0.0.1:1
  - address: 10.0.0.1:443
    redirectToHttps: true
`;
    assert.deepEqual(
      errorsOf(text).map(({ line, column, at, code }) => `${line}:${column} ${at} ${code}`),
      [
        "1:10 adapter bad_value",
        "2:1 adapter duplicate_key",
        "4:10 routes['a.com'] bad_destination",
        "5:12 routes.default open_proxy",
        "6:25 limits.prereadBytes bad_value",
        "8:5 listeners[0].address missing_key",
        "8:5 listeners[0].adress unknown_key",
        "10:22 listeners[1].redirectToHttps conflict",
      ],
    );
  });

  test("CRLF, tabs behind text and wide letters do not shift a place", () => {
    const text = `${BASE}  "ü\u{1f600}": x # ü\t\n`.replaceAll("\n", "\r\n");
    const places = faults(text).map((fault) => fault.split(" ")[0]);
    assert.deepEqual(places, ["9:3", "9:10"]);
  });

  test("formatConfigError", () => {
    const [error] = errorsOf(`${BASE}adapter: x\n`);
    assert.ok(error);
    const message = "Cannot use adapter 'x': it must be auto, linux, node, deno or bun";
    assert.equal(formatConfigError(error), `c.yaml:9:10: ${message}`);
    assert.equal(formatConfigError({ ...error, path: "a\x1b[2J" }), `a\\x1b[2J:9:10: ${message}`);
    assert.equal(formatConfigError({ ...error, path: "", line: 0, column: 0 }), message);
  });

  test("long text is cut", () => {
    const [error] = errorsOf(`${BASE}adapter: ${"x".repeat(5000)}\n`);
    assert.ok(error && error.message.length < 200);
  });

  test("10,000 faults in 10,000 routes", () => {
    let text = BASE;
    for (let i = 0; i < 10_000; i++) text += `  host-${i}.test: nowhere-${i}\n`;
    assert.equal(errorsOf(text).length, 10_000);
  });

  test("any text gives a configuration or safe errors in order", () => {
    const piece = fc.constantFrom(
      ..."listeners|routes|upstreams|address|servers|timeouts|: |:|\n|\n  |\n- |  - |[|]|{|}|,|&a |*a|!x |? |'|\"|# |---\n|%|~|<<|0|443|\x1b|\t".split(
        "|",
      ),
      ..."a.com|*.a.com|direct|default|reject|10.0.0.1:443|0.0.0.0:443|1h|null|true|__proto__|\u202e|\ufeff|\r\n|...\n||\n".split(
        "|",
      ),
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(piece, { maxLength: 10 }).map((pieces) => BASE + pieces.join("")),
    );
    fc.assert(
      fc.property(text, (yaml) => {
        const errors = errorsOf(yaml);
        for (const [index, error] of errors.entries()) {
          const previous = errors[index - 1] ?? { line: 1, column: 1 };
          assert.ok(error.line > previous.line || (error.line === previous.line && error.column >= previous.column));
          assert.match(error.message, /^Cannot /);
          assert.doesNotMatch(formatConfigError(error), /[\p{Cc}\p{Cf}]/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("configFromObject", () => {
  test("takes what a file may say", () => {
    const loaded = configFromObject(
      { listeners: [{ address: "10.0.0.1:0" }], routes: { "A.com": "direct" } },
      { toAscii },
    );
    assert.ok("config" in loaded);
    assert.deepEqual(
      [...routesOf(loaded.config.routes)],
      [
        {
          kind: "exact",
          name: "a.com",
          to: { kind: "direct", port: undefined },
          allowPrivate: false,
          via: undefined,
          bind: undefined,
          text: "A.com",
          line: 0,
        },
      ],
    );
  });

  test("names faults without a place", () => {
    const value = { listeners: [{ address: 5 }], routes: { "a.com": "direct", "A.com": "x" }, timeouts: { idle: 5 } };
    const loaded = configFromObject(value, { toAscii });
    assert.ok("errors" in loaded);
    assert.deepEqual(loaded.errors.map(formatConfigError), [
      "Cannot use listeners[0].address 5: it must be IP:port or unix:/path, such as 0.0.0.0:443",
      `Cannot use timeouts.idle 5: ${DURATION}`,
      "Cannot use the route 'A.com': 'a.com' is for the same names",
      "Cannot route 'A.com' to 'x': no upstream has that name; define it under upstreams, or write host:port",
    ]);
  });

  test("any value gives a configuration or errors", () => {
    const key = fc.constantFrom(
      "listeners",
      "routes",
      "upstreams",
      "timeouts",
      "log",
      "access",
      "servers",
      "a",
      "__proto__",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, undefined, 0, "x", "direct", true, Number.NaN, "10.0.0.1:443"),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        const loaded = configFromObject(any, { toAscii });
        assert.ok("errors" in loaded && loaded.errors.length > 0);
      }),
    );
  });
});
