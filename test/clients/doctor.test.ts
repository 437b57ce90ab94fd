/** `certless doctor` with a real world around it: OpenSSL's servers and certificates, dnsmasq, and a certless that runs. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Finding } from "../../src/doctor/finding.ts";
import { COMBINATIONS, type Combination, commandOf, forEachCombination } from "../conformance/harness/combinations.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, suiteScope } from "../conformance/harness/waiting.ts";
import { binary } from "../runner/suites.ts";
import { freeEndpoint, needsPrograms, run, startServer, succeed } from "./tools.ts";

const options = needsPrograms("openssl", "dnsmasq");

/** ECH with a config of four bytes, h3 and h2: RFC 9460's wire format. */
const HTTPS_RECORD = "0001" + "00" + "00010006" + "026833026832" + "00050004" + "00020000";

/** A certificate of its own making, for `names`. @returns paths of it and of its key. */
async function certify(scope: Scope, names: readonly string[], days = 90): Promise<readonly [string, string]> {
  const directory = temporaryDirectory(scope);
  const [certificate, key] = [join(directory, "c.pem"), join(directory, "k.pem")];
  const san = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
  const subject = ["-subj", `/CN=${names[0]}`, "-addext", san, "-days", String(days)];
  await succeed("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", key, "-out", certificate, ...subject],
  ]);
  return [certificate, key];
}

/** OpenSSL's server, which chooses HTTP/2. @returns its address. */
async function serve(scope: Scope, names: readonly string[], days?: number): Promise<string> {
  const [certificate, key] = await certify(scope, names, days);
  const { host, port } = await freeEndpoint();
  const address = `${host}:${port}`;
  await startServer(
    scope,
    "openssl",
    ["s_server", "-accept", address, "-cert", certificate, "-key", key, "-alpn", "h2,http/1.1", "-quiet"],
    [address],
  );
  return address;
}

/** A server of HTTP/1.1, which dates its answers. @returns its address. */
async function serveHttp(scope: Scope, names: readonly string[]): Promise<string> {
  const [certificate, key] = await certify(scope, names);
  const server = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_, response) => {
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scope.after(() => void server.close());
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

async function startDnsmasq(scope: Scope): Promise<string> {
  const { host, port } = await freeEndpoint();
  const base = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="];
  const where = [
    `--port=${port}`,
    `--listen-address=${host}`,
    "--bind-interfaces",
    "--local=/test/",
    "--user=",
    "--group=",
  ];
  const records = [
    "--host-record=inner.test,10.9.8.7",
    "--host-record=loop.test,127.0.0.1",
    "--host-record=bound.test,192.0.2.1",
    `--dns-rr=bound.test,65,${HTTPS_RECORD}`,
  ];
  await startServer(scope, "dnsmasq", [...base, ...where, ...records], [`${host}:${port}`]);
  return `${host}:${port}`;
}

async function certless(
  combination: Combination,
  args: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> {
  const [command, before] = commandOf(combination, "adapters/main.ts");
  return await run(command, [...before, ...args], { env: { NO_COLOR: "1" } });
}

async function findings(
  combination: Combination,
  args: readonly string[],
): Promise<{ code: number | null; found: Finding[] }> {
  const { code, out, err } = await certless(combination, ["doctor", ...args, "--json"]);
  assert.equal(err, "");
  return { code, found: JSON.parse(out) };
}

const ids = (found: readonly Finding[], subject: string): string[] =>
  found
    .filter((one) => one.subject === subject)
    .map(({ id }) => id)
    .sort();

describe("doctor", options, () => {
  const scope = suiteScope();
  let world: Promise<{ shared: string; own: string; named: string; dns: string }> | undefined;
  const start = () => {
    world ??= (async () => ({
      shared: await serve(scope, ["shop.test", "*.shop.test"], 5),
      own: await serveHttp(scope, ["own.test"]),
      named: await serveHttp(scope, ["localhost"]),
      dns: await startDnsmasq(scope),
    }))();
    return world;
  };

  forEachCombination((combination) => {
    // The command is the runtime's; the proxy that runs beside it, its adapter's.
    test("a whole configuration: names that share certificates, lying DNS, HTTPS records, servers that are gone", async (t) => {
      const { shared, own, dns } = await start();
      const file = join(temporaryDirectory(t), "certless.yaml");
      const taken = net.createServer().listen(0, "127.0.0.1");
      t.after(() => void taken.close());
      await new Promise((resolve) => taken.once("listening", resolve));
      const { port } = taken.address() as net.AddressInfo;
      writeFileSync(
        file,
        JSON.stringify({
          listeners: [
            { address: `127.0.0.1:${port}` },
            { address: "127.0.0.2:0", routes: { "eu.shop.test": own, "bound.test": own } },
          ],
          routes: {
            "shop.test": shared,
            "us.shop.test": own,
            "own.test": own,
            "gone.test": "127.0.0.1:1",
            "inner.test": "direct:443",
            "loop.test": { to: "direct", allowPrivate: true },
            "nowhere.test": "direct",
            "~^(a+)+$": "reject",
          },
          resolver: { servers: [dns], timeout: "1s" },
        }),
      );
      const { code, found } = await findings(combination, [file]);
      assert.equal(code, 1);
      assert.deepEqual(
        found.filter(({ id }) => id === "certificates_share_names").map(({ subject }) => subject),
        ["shop.test, us.shop.test"],
        "eu.shop.test has an address of its own",
      );
      assert.deepEqual(ids(found, "shop.test"), ["certificate_ends", "certificate_untrusted"]);
      assert.deepEqual(ids(found, "own.test"), ["certificate_untrusted", "server_well"]);
      assert.deepEqual(ids(found, "gone.test"), ["server_unreachable"]);
      assert.deepEqual(ids(found, "inner.test"), ["address_refused"]);
      assert.deepEqual(ids(found, "loop.test"), ["loop"]);
      assert.deepEqual(ids(found, "nowhere.test"), ["name_unresolved"]);
      assert.ok(ids(found, "bound.test").includes("https_record"));
      assert.deepEqual(ids(found, "~^(a+)+$"), ["regex_exponential"]);
      assert.deepEqual(ids(found, `127.0.0.1:${port}`), ["port_taken"]);
      assert.ok(found.every(({ why, seen }) => why !== "" && seen !== ""));
    });

    test("one name, through the proxy that runs", async (t) => {
      const { own } = await start();
      const { host, port } = await freeEndpoint();
      const config = { listeners: [{ address: `${host}:${port}` }], routes: { "own.test": own } };
      const proxy = await startProxy(t, combination, { config });
      const { found } = await findings(combination, ["own.test", join(proxy.directory, "certless.yaml")]);
      assert.ok(ids(found, "own.test").includes("proxy_passes"), JSON.stringify(found));
      assert.ok(ids(found, "own.test").includes("clock_agrees"), JSON.stringify(found));
      await proxy.stop();
      const after = await findings(combination, ["own.test", join(proxy.directory, "certless.yaml")]);
      assert.ok(ids(after.found, "own.test").includes("proxy_unreachable"));
      assert.equal(after.code, 1);
    });
  });

  const deno = COMBINATIONS.some(({ runtime }) => runtime === "deno");
  test("on Deno it needs what its page says, and no more", { skip: !deno && "without Deno" }, async (t) => {
    const page = readFileSync("docs/doctor.md", "utf8");
    const sentence = /On Deno it needs ([^;]+);/.exec(page)?.[1] ?? "";
    const permissions = [...sentence.matchAll(/--allow-\w+/g)].map(([flag]) => flag);
    const file = join(temporaryDirectory(t), "certless.yaml");
    const { own } = await start();
    writeFileSync(file, JSON.stringify({ listeners: [{ address: "127.0.0.1:0" }], routes: { "own.test": own } }));
    const program = ["--no-check", "adapters/main.ts", "doctor", "--json", file];
    for (const name of [[], ["own.test"]]) {
      const { out, err } = await run(binary("deno"), ["run", "--no-prompt", ...permissions, ...program, ...name]);
      assert.equal(err, "");
      assert.ok(ids(JSON.parse(out), "own.test").includes("server_well"), out);
    }
  });

  test("on a client's machine, without a configuration; the text fits 80 columns", async (t) => {
    const { named } = await start();
    const { host, port } = await freeEndpoint();
    const config = { listeners: [{ address: `${host}:${port}` }], routes: { localhost: named } };
    const proxy = await startProxy(t, COMBINATIONS[0]!, { config });
    const directory = temporaryDirectory(t);
    const main = join(process.cwd(), "adapters", "main.ts");
    const ask = (...args: string[]) => run("node", [main, "doctor", "localhost", ...args], { cwd: directory });
    const { out, code } = await ask("--ip", host, "--port", String(port));
    assert.equal(code, 1);
    assert.match(out, /^warning {2}leads_past_proxy\n {2}localhost: it resolves to /m);
    assert.match(out, /^ok {7}server_well\n {2}localhost: through 127\.77\.\S+: 8\d days left/m);
    assert.match(out, /^ok {7}clock_agrees\n/m);
    assert.ok(out.split("\n").every((line) => line.length <= 80));
    await proxy.stop();
    const stopped = await ask("--ip", host, "--port", String(port));
    assert.match(stopped.out, /^fault {4}proxy_unreachable\n {2}localhost: \S+: connection refused\n/m);
    const asked = await ask();
    assert.equal(asked.code, 2);
    assert.match(asked.err, /the proxy's address \(certless doctor localhost --ip ADDRESS\)/);
  });
});
