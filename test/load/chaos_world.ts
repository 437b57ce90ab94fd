/**
 * The world of a chaos: servers with moods, names that move, get lost and lie, and a proxy in front of them.
 *
 * Owns: the routes, who may answer for each, and the misfortunes, one after another from a seed. It must not judge.
 */

import type { Combination } from "../conformance/harness/combinations.ts";
import { type DnsServer, startDnsServer, type ZoneEntry } from "../conformance/harness/dns_server.ts";
import { startOrigin } from "../conformance/harness/origin.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import { pause, type Scope } from "../conformance/harness/waiting.ts";
import { ChaosServer, digestOf, type Mood } from "./chaos_server.ts";

/** A destination of clients. */
export interface ChaosRoute {
  readonly host: string;
  /** Who may answer. */
  readonly servers: readonly ChaosServer[];
  /** By a name that moves, fails and lies. */
  readonly byName: boolean;
  /** Clients may wait in a line. */
  readonly queues: boolean;
}

/** Of each of the two servers that have a limit. */
export const FULL = 2;
const FAIL_TIMEOUT = 500;
/** An address where nobody listens. */
const NOWHERE = "127.29.0.1";
const BAD_MOODS: readonly Mood[] = ["dead", "dead", "dead", "closes", "resets", "stalls"];
const MORTAL = ["r1", "r2", "rb", "l1", "l2", "h1", "h2", "h3", "n1", "n2", "n3"] as const;

type Name = (typeof MORTAL)[number] | "healthy";

export class ChaosWorld {
  readonly proxy: RunningProxy;
  readonly routes: readonly ChaosRoute[];
  readonly healthy: ChaosRoute;
  readonly limited: ChaosRoute;
  /** Whom the client of a hello may reach, by the hello's digest. */
  readonly expected = new Map<string, ChaosRoute>();
  /** Hellos that came where they must not. */
  readonly strays: string[];
  readonly #servers: ReadonlyMap<Name, ChaosServer>;
  readonly #zone: Record<string, ZoneEntry>;
  readonly #random: () => number;
  readonly #parts: WorldParts;
  #generation = 0;

  constructor(parts: WorldParts, proxy: RunningProxy, random: () => number) {
    this.proxy = proxy;
    this.#servers = parts.servers;
    this.#zone = parts.zone;
    this.#parts = parts;
    this.#random = random;
    this.strays = parts.strays;
    const route = (host: string, names: readonly Name[], byName = false, queues = false): ChaosRoute => ({
      host,
      servers: names.map((name) => parts.servers.get(name)!),
      byName,
      queues,
    });
    this.healthy = route("healthy.test", ["healthy"]);
    this.limited = route("limited.test", ["l1", "l2"], false, true);
    this.routes = [
      this.healthy,
      // A crowd, so that there is a line.
      this.limited,
      this.limited,
      this.limited,
      route("turns.test", ["r1", "r2", "rb"]),
      route("hash.test", ["h1", "h2", "h3"]),
      route("moving.test", ["n1", "n2", "n3"], true),
      route("x.direct.test", ["n1", "n2"], true),
      route("y.direct.test", ["n3"], true),
    ];
    parts.met.hello = (name, hello) => {
      const route = this.expected.get(digestOf(hello));
      if (route?.servers.some((server) => server.name === name)) return;
      this.strays.push(`${name} got a hello ${route === undefined ? "that nobody sent" : `for ${route.host}`}`);
    };
  }

  /** Misfortunes until `isOver`; then all is well again. */
  async rage(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (this.#random() < 0.35) this.#moveNames();
      else void this.#spoil(this.#pick(MORTAL));
      await pause(50 + this.#random() * 200);
    }
    await this.heal();
  }

  /** Reloads once: the thread that reads files stays for a while, with descriptors of its own. */
  async reloadOnce(): Promise<void> {
    await this.proxy.reload(configOf(this.#parts, ++this.#generation));
  }

  /** Another configuration each second, until `isOver`. */
  async reload(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.proxy.rewrite(configOf(this.#parts, ++this.#generation));
      this.proxy.notify("SIGHUP");
      await pause(1_000);
    }
  }

  async heal(): Promise<void> {
    this.#pointNames(["n1", "n2", "n3"], ["n1"], ["n3"]);
    await Promise.all([...this.#servers.values()].map((server) => server.set("serves")));
    // Whoever was passed over may be tried again.
    await pause(2 * FAIL_TIMEOUT);
  }

  /** Connections that servers have. */
  get open(): number {
    return [...this.#servers.values()].reduce((sum, server) => sum + server.open, 0);
  }

  async #spoil(name: Name): Promise<void> {
    const server = this.#servers.get(name)!;
    if (server.mood !== "serves") return;
    await server.set(this.#pick(BAD_MOODS));
    await pause(100 + this.#random() * 1200);
    await server.set("serves");
  }

  #moveNames(): void {
    const name = this.#pick(["moving.test", "x.direct.test", "y.direct.test"]);
    const mine: readonly Name[] =
      name === "moving.test" ? ["n1", "n2", "n3"] : name === "x.direct.test" ? ["n1", "n2"] : ["n3"];
    const some = mine.filter(() => this.#random() < 0.5);
    const good = addressesOf(this.#servers, some.length === 0 ? [mine[0]!] : some);
    const bad: readonly (ZoneEntry | undefined)[] = ["silent", "servfail", undefined, lasting([NOWHERE]), lasting([])];
    const entry = this.#random() < 0.6 ? lasting(good) : this.#pick(bad);
    if (entry === undefined) delete this.#zone[name];
    else this.#zone[name] = entry;
  }

  #pointNames(moving: readonly Name[], x: readonly Name[], y: readonly Name[]): void {
    this.#zone["moving.test"] = lasting(addressesOf(this.#servers, moving));
    this.#zone["x.direct.test"] = lasting(addressesOf(this.#servers, x));
    this.#zone["y.direct.test"] = lasting(addressesOf(this.#servers, y));
  }

  #pick<T>(some: readonly T[]): T {
    return some[Math.floor(this.#random() * some.length)]!;
  }
}

interface WorldParts {
  readonly servers: ReadonlyMap<Name, ChaosServer>;
  readonly zone: Record<string, ZoneEntry>;
  readonly dns: DnsServer;
  readonly port: number;
  readonly strays: string[];
  readonly met: { hello(name: string, hello: Buffer): void };
}

const lasting = (addresses: readonly string[]): ZoneEntry => ({ addresses, ttl: 1 });

function addressesOf(servers: ReadonlyMap<Name, ChaosServer>, names: readonly Name[]): string[] {
  return names.map((name) => servers.get(name)!.address.replace(/:\d+$/, ""));
}

/** Servers at one port of many addresses: names move between them. */
async function startServers(scope: Scope): Promise<WorldParts> {
  // A port that nobody else is given.
  const holder = await startOrigin(scope, { address: "127.20.0.99:0" });
  const met = { hello(_name: string, _hello: Buffer): void {} };
  const names: readonly Name[] = ["healthy", ...MORTAL];
  const servers = new Map(
    names.map((name, index) => [
      name,
      new ChaosServer(name, `127.20.0.${index + 1}:${holder.port}`, (hello) => met.hello(name, hello)),
    ]),
  );
  for (const server of servers.values()) {
    await server.set("serves");
    scope.after(() => server.set("dead"));
  }
  const zone: Record<string, ZoneEntry> = {
    "moving.test": lasting(addressesOf(servers, ["n1", "n2"])),
    "x.direct.test": lasting(addressesOf(servers, ["n1"])),
    "y.direct.test": lasting(addressesOf(servers, ["n3"])),
  };
  return { servers, zone, dns: await startDnsServer(scope, zone), port: holder.port, strays: [], met };
}

/** @param descriptorLimit of the proxy; undefined: whatever there is. */
export async function startWorld(
  scope: Scope,
  combination: Combination,
  random: () => number,
  descriptorLimit: number | undefined,
): Promise<ChaosWorld> {
  const parts = await startServers(scope);
  const proxy = await startProxy(scope, combination, {
    env: combination.smallHeap,
    config: configOf(parts, 0),
    ...(descriptorLimit === undefined ? {} : { descriptorLimit }),
  });
  return new ChaosWorld(parts, proxy, random);
}

/** @param generation each is another configuration, of one meaning for those who are routed by it. */
function configOf({ servers, dns, port }: WorldParts, generation: number): Record<string, unknown> {
  const at = (name: Name, more: object = {}) => ({
    address: servers.get(name)!.address,
    failTimeout: `${FAIL_TIMEOUT}ms`,
    ...more,
  });
  const turns = [at("r1", { weight: 1 + (generation % 2) }), at("r2"), at("rb", { backup: true })];
  return {
    listeners: [{ address: "127.0.0.1:0" }, ...(generation % 2 === 0 ? [] : [{ address: "127.0.0.2:0" }])],
    workers: 2,
    routes: {
      [`g${generation}.test`]: "reject",
      "healthy.test": servers.get("healthy")!.address,
      "turns.test": "turns",
      "limited.test": "limited",
      "hash.test": "hash",
      "moving.test": "moving",
      "*.direct.test": { to: `direct:${port}`, allowPrivate: true },
    },
    upstreams: {
      [`spare${generation % 3}`]: { servers: [at("r1"), at("h1")] },
      turns: { servers: turns.slice(generation % 3).concat(turns.slice(0, generation % 3)) },
      limited: {
        balance: "least_conn",
        servers: [at("l1", { maxConnections: FULL }), at("l2", { maxConnections: FULL })],
        queue: { size: 20, timeout: "500ms" },
      },
      hash: { balance: "hash $remote_addr consistent", servers: [at("h1"), at("h2"), at("h3")] },
      moving: { servers: [{ address: `moving.test:${port}`, resolve: true, failTimeout: `${FAIL_TIMEOUT}ms` }] },
    },
    timeouts: { preread: "2s", connect: "3s", idle: "20s" },
    resolver: { servers: [dns.address], timeout: "500ms", minTtl: "1s" },
    // More than there are descriptors for, where those are few.
    limits: { connections: 100_000 },
  };
}
