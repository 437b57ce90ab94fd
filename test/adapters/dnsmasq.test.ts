/**
 * Lookups by a real name server, Debian's dnsmasq (package `dnsmasq-base`), started here on a free port of the loopback:
 * TTLs, aliases, what is not there, services, long answers over TCP, a server that dies.
 */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { describe, test } from "node:test";
import { createHost } from "../../adapters/host.ts";
import type { ResolvedAddresses, ResolvedServices, ResolveFailure, Resolver } from "../../src/host.ts";

/** Behind the runtimes' own: it is in a directory that is not on every PATH. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

function installed(): boolean {
  try {
    execFileSync("sh", ["-c", "command -v dnsmasq"], { env: { ...process.env, PATH }, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const options = { skip: installed() ? false : "not installed: dnsmasq" };

const host = createHost();

async function freePort(): Promise<number> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

const RECORDS = [
  "--host-record=a.test,192.0.2.1,2001:db8::1,77",
  "--host-record=four.test,192.0.2.4,30",
  "--cname=alias.test,a.test,33",
  "--cname=chain.test,alias.test,44",
  "--srv-host=_https._tcp.test,a.test,8443,1,5",
  "--srv-host=_https._tcp.test,four.test,443,2",
  ...Array.from({ length: 60 }, (_, index) => `--host-record=many.test,192.0.2.${index + 1}`),
];

/** Answers once `address` does. */
async function startDnsmasq(port: number, records: readonly string[] = RECORDS): Promise<Server> {
  const base = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="];
  const where = [`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces", "--local=/test/"];
  // It stays the user that started it: to change users, it would need privileges.
  const args = [...base, ...where, "--user=", "--group=", ...records];
  const child: ChildProcess = spawn("dnsmasq", args, { env: { ...process.env, PATH }, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const server = {
    address: `127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
  const resolver = open([server.address], 200);
  for (let tries = 0; ; tries++) {
    const outcome = await addressesOf(resolver, "ready.test");
    if ("code" in outcome && outcome.code === "ENOTFOUND") break;
    if (tries > 50) {
      await server.stop();
      throw new Error(`dnsmasq does not answer: ${JSON.stringify(outcome)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  resolver.close();
  return server;
}

function open(servers: readonly string[], timeout = 3000): Resolver {
  return host.createResolver({ servers, timeout });
}

/** The last answer that comes within a moment of the first. */
function addressesOf(resolver: Resolver, name: string): Promise<ResolvedAddresses | ResolveFailure> {
  return new Promise((resolve) => resolver.resolve(name, resolve));
}

function servicesOf(resolver: Resolver, name: string): Promise<ResolvedServices | ResolveFailure> {
  return new Promise((resolve) => resolver.resolveService(name, resolve));
}

describe("a real name server", options, () => {
  test("addresses, aliases and TTLs", options, async () => {
    const server = await startDnsmasq(await freePort());
    const resolver = open([server.address]);
    try {
      const both = ["2001:db8::1", "192.0.2.1"];
      assert.deepEqual(await addressesOf(resolver, "a.test"), { addresses: both, ttl: 77_000 });
      assert.deepEqual(await addressesOf(resolver, "four.test"), { addresses: ["192.0.2.4"], ttl: 30_000 });
      assert.deepEqual(await addressesOf(resolver, "alias.test"), { addresses: both, ttl: 33_000 });
      assert.deepEqual(await addressesOf(resolver, "chain.test"), { addresses: both, ttl: 33_000 });
    } finally {
      resolver.close();
      await server.stop();
    }
  });

  test("what is not there, services, and an answer that is too long for UDP", options, async () => {
    const server = await startDnsmasq(await freePort());
    const resolver = open([server.address]);
    try {
      for (const name of ["none.test", "_none._tcp.test"]) {
        const outcome = await addressesOf(resolver, name);
        assert.equal("code" in outcome ? outcome.code : "", "ENOTFOUND");
      }
      const services = await servicesOf(resolver, "_https._tcp.test");
      assert.ok("services" in services);
      assert.deepEqual(services.services.map(({ target }) => target).toSorted(), ["a.test", "four.test"]);
      assert.deepEqual(
        services.services.find(({ target }) => target === "a.test"),
        { priority: 1, weight: 5, port: 8443, target: "a.test" },
      );
      const many = await addressesOf(resolver, "many.test");
      assert.equal("addresses" in many ? many.addresses.length : many.code, 60);
    } finally {
      resolver.close();
      await server.stop();
    }
  });

  test(
    "a server that dies: the next one answers, and is asked first from then on; then the answers change",
    options,
    async () => {
      const port = await freePort();
      const first = await startDnsmasq(port);
      const second = await startDnsmasq(await freePort(), ["--host-record=a.test,192.0.2.2"]);
      const resolver = open([first.address, second.address]);
      try {
        const before = await addressesOf(resolver, "a.test");
        assert.ok("addresses" in before && before.addresses.includes("192.0.2.1"), JSON.stringify(before));
        await first.stop();
        const after = await addressesOf(resolver, "a.test");
        assert.deepEqual("addresses" in after ? after.addresses : after, ["192.0.2.2"]);
        await second.stop();
        const nobody = await addressesOf(resolver, "a.test");
        assert.ok("code" in nobody && ["ECONNREFUSED", "ETIMEOUT"].includes(nobody.code), JSON.stringify(nobody));
        const again = await startDnsmasq(port, ["--host-record=a.test,192.0.2.3"]);
        const back = await addressesOf(resolver, "a.test");
        await again.stop();
        assert.deepEqual("addresses" in back ? back.addresses : back, ["192.0.2.3"]);
      } finally {
        resolver.close();
        await first.stop();
        await second.stop();
      }
    },
  );
});
