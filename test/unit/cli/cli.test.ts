import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMMANDS, runCli } from "../../../src/cli/cli.ts";
import { fakeWorld } from "./fake_host.ts";

const GOOD = `listeners:
  - address: 0.0.0.0:443
  - address: 0.0.0.0:80
    protocol: http
    routes: { shop.example.test: "192.0.2.7:80" }
  - address: 10.0.0.5:8443
    proxyProtocol: true
    trustedProxies: [10.0.0.0/8]
routes:
  shop.example.test: pool
  api.example.test: direct
  ".dot.example.test": direct
  "*.wild.example.test": direct
  closed.example.test: reject
upstreams:
  pool:
    servers: ["192.0.2.1:443", { address: "192.0.2.2:443", weight: 2, backup: true }]
    proxyProtocol: v2
`;
const BAD = `listeners:
  - adress: 0.0.0.0:443
routes:
  shop.example.test: poool
upstreams:
  pool: { servers: ["192.0.2.1:443"] }
`;

async function certless(args: string[], files: Record<string, string> = { "certless.yaml": GOOD, "bad.yaml": BAD }) {
  const world = fakeWorld(files, { "api.example.test": ["10.0.0.5", "93.184.215.14"] });
  const code = await runCli(args, world.context);
  return { code, out: world.out(), err: world.err() };
}

describe("certless", () => {
  test("--help lists every command, each has its own", async () => {
    const { code, out } = await certless(["--help"]);
    assert.equal(code, 0);
    for (const name of COMMANDS.keys()) {
      assert.match(out, new RegExp(`^  ${name}\\b`, "m"));
      const own = await certless([name, "--help"]);
      assert.equal(own.code, 0);
      assert.match(own.out, new RegExp(`Usage: certless ${name}`));
      for (const option of Object.keys(COMMANDS.get(name)!.options)) assert.ok(own.out.includes(`--${option}`));
    }
  });

  test("--version names version and runtime", async () => {
    assert.deepEqual(await certless(["--version"]), { code: 0, out: "certless 9.9.9 (test 1.0)\n", err: "" });
  });

  test("usage errors are exit code 2, say what to do, and print no stack", async () => {
    for (const [args, message] of [
      [["rum"], /no such command; did you mean run\?/],
      [["check", "--nope"], /Cannot run certless check: .*nope/],
      [["check", "a", "b"], /"b" is one argument too many/],
      [["hosts"], /--ip ADDRESS is missing/],
      [["hosts", "--ip", "999.1.1.1"], /is not an IP address/],
      [["route"], /NAME is missing/],
      [["route", "a b"], /is not a host name/],
      [["route", "a.test", "--port", "99"], /no listener is on port 99/],
      [["check", "missing.yaml"], /Cannot read missing.yaml: there is no such file/],
    ] as const) {
      const { code, err } = await certless([...args]);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, message);
      assert.doesNotMatch(err, /\n\s+at /);
    }
    const nowhere = await certless(["run"], {});
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.err, /certless demo/);
  });

  test("check counts what is there", async () => {
    const { code, out } = await certless(["check"]);
    assert.equal(code, 0);
    assert.equal(out, "certless.yaml is valid: 3 listeners, 6 routes, 1 upstream\n");
  });

  test("check prints every fault with its place, and run refuses the same way", async () => {
    for (const command of ["check", "run"]) {
      const { code, err } = await certless([command, "bad.yaml"]);
      assert.equal(code, 2);
      assert.match(err, /^bad\.yaml:2:5: .*adress.*address/m);
      assert.match(err, /^bad\.yaml:4:22: .*poool.*pool/m);
      assert.match(err, /\n3 faults in bad\.yaml\n$|\n2 faults in bad\.yaml\n$/);
    }
  });

  test("route explains rule, place, destination and servers, on each listener", async () => {
    const { code, out } = await certless(["route", "Shop.Example.Test."]);
    assert.equal(code, 0);
    assert.match(
      out,
      /0\.0\.0\.0:443 \(tls\) shop\.example\.test\n {2}route: shop\.example\.test \(exact name, certless\.yaml:10\)\n {2}to: pool/,
    );
    assert.match(
      out,
      /server: 192\.0\.2\.2:443 weight 2 backup\n {2}balance: round_robin\n {2}PROXY header to servers: v2/,
    );
    assert.match(out, /0\.0\.0\.0:80 \(http\) .*\n {2}route: .*certless\.yaml:5\)\n {2}to: 192\.0\.2\.7:80/);
  });

  test("route tells the proxy on the way, and nothing of its credentials", async () => {
    const yaml = `listeners: [{ address: 0.0.0.0:443 }]
routes: { a.test: { to: direct, bind: 10.0.0.5, via: { url: "http://me-4711@p.test:3128", passwordEnv: PW } }, b.test: p }
upstreams: { p: { servers: ["10.0.0.1:1"], proxyProtocol: { authority: true, uniqueId: true } } }`;
    const world = fakeWorld({ "certless.yaml": yaml });
    assert.equal(await runCli(["route", "a.test", "--resolve"], world.context), 0);
    assert.match(world.out(), / {2}via: http:\/\/p\.test:3128 \(it resolves names, .*\n {2}from: 10\.0\.0\.5\n/);
    assert.equal(await runCli(["route", "b.test"], world.context), 0);
    assert.match(world.out(), /PROXY header to servers: v2 with authority, uniqueId\n/);
    assert.equal(await runCli(["check"], world.context), 1);
    assert.match(world.err(), /Cannot read the password of .* from the environment variable PW: it is not set\n/);
    assert.doesNotMatch(world.out() + world.err(), /4711/);
  });

  test("route says no with exit code 1", async () => {
    const rejected = await certless(["route", "closed.example.test", "--port", "443"]);
    assert.equal(rejected.code, 1);
    assert.match(rejected.out, /to: reject/);
    const unknown = await certless(["route", "nobody.test"]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.out, /route: default \(no other route holds the name/);
    const stranger = await certless(["route", "api.example.test", "--port", "8443", "--client", "192.0.2.1"]);
    assert.equal(stranger.code, 1);
    assert.match(stranger.out, /rejected: untrusted_peer/);
  });

  test("route --client asks the access lists", async () => {
    const yaml = `listeners: [{ address: 10.0.0.5:443, deny: [10.9.0.0/16] }]
routes: { a.test: { to: 192.0.2.1, allow: [10.0.0.0/8] } }
`;
    const answers: Record<string, RegExp> = {
      "10.1.0.1": /to: 192\.0\.2\.1/,
      "10.9.0.1": /rejected: access_denied \(10\.9\.0\.1 is not let in by the listener\)/,
      "192.0.2.1": /rejected: access_denied \(192\.0\.2\.1 is not let in by the route a\.test\)/,
    };
    for (const [ip, expected] of Object.entries(answers)) {
      const { context, out } = fakeWorld({ "certless.yaml": yaml });
      assert.equal(await runCli(["route", "a.test", "--client", ip], context), ip === "10.1.0.1" ? 0 : 1);
      assert.match(out(), expected);
    }
  });

  test("route --resolve says which addresses may be dialled", async () => {
    const { out } = await certless(["route", "api.example.test", "--port", "443", "--resolve"]);
    assert.match(out, /address: 10\.0\.0\.5 refused: certless itself listens there/);
    assert.match(out, /address: 93\.184\.215\.14\n/);
  });

  test("hosts: listeners with addresses of their own, both families of one table", async () => {
    const text = (listeners: string) => `listeners: [${listeners}]\nroutes: { a.test: direct }\n`;
    const lines = async (listeners: string, ...args: string[]) => {
      const { context, out } = fakeWorld({ "certless.yaml": text(listeners) });
      await runCli(["hosts", ...args], context);
      return out().split("\n").slice(1, -1);
    };
    const [four, six] = ["{ address: 10.0.0.5:443 }", '{ address: "[2001:db8::5]:443" }'];
    const own = "{ address: 10.0.0.6:443, routes: { a.test: reject, b.test: direct } }";
    assert.deepEqual(await lines(`${four}, ${six}, ${own}`), [
      "10.0.0.5 a.test",
      "2001:db8::5 a.test",
      "10.0.0.6 b.test",
    ]);
    assert.deepEqual(await lines(four, "--ip", "192.0.2.1"), ["192.0.2.1 a.test"]);
    assert.deepEqual(await lines(`${four}, ${own}`, "--ip", "192.0.2.1"), [
      "10.0.0.5 a.test",
      "10.0.0.6 b.test",
      "# 192.0.2.1 stands nowhere: every listener has an address of its own",
    ]);
  });

  test("hosts prints each name once, patterns as comments", async () => {
    const { out } = await certless(["hosts", "--ip", "10.0.0.5"]);
    assert.equal(
      out,
      `# certless: names of certless.yaml
10.0.0.5 shop.example.test
10.0.0.5 api.example.test
10.0.0.5 dot.example.test
# .dot.example.test is a pattern: add a line for each name of it that you use
# *.wild.example.test is a pattern: add a line for each name of it that you use
`,
    );
  });

  test("schema is JSON", async () => {
    const { code, out } = await certless(["schema"]);
    assert.equal(code, 0);
    assert.ok("properties" in JSON.parse(out));
  });

  test("an adapter that cannot run here is one clear message", async () => {
    const { code, err } = await certless(["run", "--adapter", "bun"]);
    assert.equal(code, 2);
    assert.equal(err, "Cannot use adapter bun: there is none in this test\n");
  });
});
