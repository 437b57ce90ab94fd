/**
 * The clients of a chaos: well behaved, slow, rude and mad ones, each of which checks every byte that it gets.
 *
 * Owns: what they do, and which reasons the log may give for what became of them.
 */

import { Buffer } from "node:buffer";
import type { LogRecord } from "../conformance/harness/access_log.ts";
import { alertIn, helloFor } from "../conformance/harness/hello.ts";
import { dial, type Peer } from "../conformance/harness/peer.ts";
import { pause, type Scope } from "../conformance/harness/waiting.ts";
import type { ChaosLedger, Outcome, Visit } from "./chaos_ledger.ts";
import { answerOf, digestOf } from "./chaos_server.ts";
import type { ChaosRoute, ChaosWorld } from "./chaos_world.ts";

/** Milliseconds for a connection, misfortunes included, and for one to a server that has none. */
const PATIENCE = 30_000;
const PROMPT = 10_000;
const LARGEST = 300_000;
const NOBODY: Scope = { after() {} };

/** What a client needs. */
export interface ClientHome {
  readonly world: ChaosWorld;
  readonly ledger: ChaosLedger;
  readonly random: () => number;
  /** Whether descriptors were short between these instants, ms. */
  wasShort(from: number, to: number): boolean;
}

type Act = (client: ChaosClient) => Promise<void>;

export class ChaosClient {
  readonly route: ChaosRoute;
  readonly hello: Buffer;
  readonly payload: Buffer;
  readonly peer: Peer;
  readonly visit: Visit;
  readonly #home: ClientHome;

  private constructor(home: ClientHome, route: ChaosRoute, what: string, peer: Peer, reasons?: readonly string[]) {
    this.#home = home;
    this.route = route;
    this.peer = peer;
    this.hello = helloFor(route.host);
    const { random } = home;
    // Seldom large, so that there are many.
    this.payload = noise(random, Math.floor(random() ** 4 * LARGEST));
    home.world.expected.set(digestOf(this.hello), route);
    this.visit = {
      local: peer.local,
      what: `${what} for ${route.host}`,
      openedAt: peer.openedAt,
      mayBeUnseen: false,
      outcome: undefined,
      fits: (record, visit) => this.#fits(record, visit, reasons),
    };
    home.ledger.enter(this.visit);
  }

  /** One connection from beginning to end. @param reasons in place of those that follow from what the client sees. */
  static async run(home: ClientHome, route: ChaosRoute, what: string, act: Act, reasons?: readonly string[]) {
    const peer = await dial(NOBODY, home.world.proxy.endpoint);
    const client = new ChaosClient(home, route, what, peer, reasons);
    try {
      await act(client);
    } catch (error) {
      home.ledger.faults.push(`${client.visit.what} from ${peer.local}: ${(error as Error).message}`);
    } finally {
      client.visit.outcome ??= client.#seen();
      peer.destroy();
    }
    return client.visit;
  }

  get random(): () => number {
    return this.#home.random;
  }

  /** The payload in a few pieces, then FIN. */
  async say(): Promise<this> {
    const { peer, payload } = this;
    const piece = Math.ceil(payload.length / 4) || 1;
    for (let at = 0; at < payload.length && peer.ending === "open"; at += piece) {
      peer.send(payload.subarray(at, at + piece));
      await pause(this.random() * 20);
    }
    peer.finish();
    return this;
  }

  /** Until the server, or the proxy, has ended. */
  async end(deadline = PATIENCE): Promise<void> {
    await this.peer.untilEnd(deadline);
    this.peer.finish();
  }

  /** RST; what the log says of it depends on how far it had come. */
  leave(): void {
    const seen = this.#seen();
    if (seen.kind === "nothing") this.visit.mayBeUnseen = true;
    this.visit.outcome = { ...seen, kind: "left" };
    this.peer.reset();
  }

  /** What came, every byte of it looked at. */
  #seen(): Outcome {
    const { bytes } = this.peer;
    const at = performance.now();
    if (bytes.length === 0) return { kind: "nothing", at };
    if (/^\w+$/.test(alertIn(bytes))) return { kind: "alert", at };
    const line = bytes.subarray(0, Math.max(0, bytes.indexOf(10))).toString("latin1");
    const server = this.route.servers.find(({ name }) => line.startsWith(`${name} `));
    if (server === undefined) {
      // Cut within the first line, it is the beginning of one that may be.
      const isBegun = this.route.servers.some(
        ({ name }) => answerOf(name, this.hello, Buffer.alloc(0)).indexOf(bytes) === 0,
      );
      if (!isBegun)
        this.#home.ledger.faults.push(`${this.visit.what}: an answer by somebody else: ${line.slice(0, 100)}`);
      return { kind: "cut", at };
    }
    const whole = answerOf(server.name, this.hello, this.payload);
    if (!whole.subarray(0, bytes.length).equals(bytes)) {
      this.#home.ledger.faults.push(`${this.visit.what}: altered bytes, ${bytes.length} of ${whole.length}`);
    }
    return { kind: bytes.length === whole.length ? "whole" : "cut", at };
  }

  #fits({ reason }: LogRecord, { openedAt, outcome }: Visit, reasons: readonly string[] | undefined): boolean {
    if (outcome === undefined || reason === "internal_error") return false;
    const { servers, byName, queues } = this.route;
    const isShort = this.#home.wasShort(openedAt, outcome.at);
    if (reasons?.includes(reason)) return true;
    if (outcome.kind === "whole") return reason === "ok" && reasons === undefined;
    if (outcome.kind === "left" && /^client_(reset|left)$/.test(reason)) return true;
    if (isShort && /^(connect|resolve)_(failed|timeout)$/.test(reason)) return true;
    if (reasons !== undefined) return false;
    const felt = new Set(servers.flatMap((server) => [...server.felt(openedAt, outcome.at)]));
    const hurt = felt.has("dead") || felt.has("resets") || felt.has("closes");
    switch (reason) {
      case "connect_failed":
      case "connect_timeout":
        return outcome.kind !== "cut" && (felt.has("dead") || byName);
      case "resolve_failed":
      case "resolve_timeout":
        return outcome.kind !== "cut" && byName;
      case "upstream_busy":
      case "queue_timeout":
        return outcome.kind !== "cut" && queues;
      case "server_closed":
        return outcome.kind !== "cut" && hurt;
      case "server_reset":
        return hurt;
      case "ok":
        // Whoever leaves after the end was told everything; a server that closes at once has finished, too.
        return outcome.kind === "left" || (outcome.kind === "nothing" && felt.has("closes"));
      default:
        return false;
    }
  }
}

function noise(random: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return bytes;
}

/** A client of a server without misfortunes: it has to be served, and soon. */
export async function probe(home: ClientHome): Promise<void> {
  const visit = await ChaosClient.run(home, home.world.healthy, "a probe", async (client) => {
    client.peer.send(client.hello);
    await (await client.say()).end(home.wasShort(0, Infinity) ? PATIENCE : PROMPT);
  });
  const { outcome, openedAt, local } = visit;
  if (outcome?.kind === "whole" || home.wasShort(openedAt, outcome?.at ?? Infinity)) return;
  home.ledger.faults.push(`a probe from ${local} was not served: ${JSON.stringify(outcome)}`);
}

interface Kind {
  readonly what: string;
  readonly act: Act;
  readonly reasons?: readonly string[];
}

const KINDS: readonly Kind[] = [
  {
    what: "a talk",
    act: async (client) => {
      client.peer.send(client.hello);
      await (await client.say()).end();
    },
  },
  {
    what: "a half-close at once",
    act: async (client) => {
      client.peer.send(Buffer.concat([client.hello, client.payload])).finish();
      await client.end();
    },
  },
  {
    what: "a slow hello",
    act: async (client) => {
      await dripped(client, 10, 30);
      await (await client.say()).end();
    },
  },
  {
    what: "a stalled reader",
    act: async (client) => {
      client.peer.stall().send(client.hello);
      await client.say();
      await pause(client.random() * 1500);
      if (client.random() < 0.3) {
        client.leave();
        return;
      }
      client.peer.flow();
      await client.end();
    },
  },
  {
    what: "a reset",
    act: async (client) => {
      client.peer.send(client.hello).send(client.payload);
      await pause(client.random() * 200);
      if (client.peer.ending === "open") client.leave();
    },
  },
  {
    what: "garbage",
    act: async (client) => {
      client.peer.send(
        Buffer.concat([Buffer.of(0x7f), noise(client.random, 4 + Math.floor(client.random() * 50_000))]),
      );
      await client.end();
    },
    reasons: ["not_tls"],
  },
  {
    what: "a broken hello",
    act: async (client) => {
      client.peer.send(Buffer.concat([Buffer.of(22, 3, 1, 0, 200, 1, 0, 0, 196), noise(client.random, 196)]));
      await client.end();
    },
    reasons: ["malformed_hello"],
  },
  {
    what: "a drip",
    act: async (client) => {
      await dripped(client, 1, 60);
      await client.end();
    },
    reasons: ["preread_timeout"],
  },
  {
    what: "half a hello and FIN",
    act: async (client) => {
      client.peer.send(client.hello.subarray(0, 40)).finish();
      await client.end();
    },
    reasons: ["client_left"],
  },
];

async function dripped({ peer, hello }: ChaosClient, piece: number, gap: number): Promise<void> {
  for (let at = 0; at < hello.length && peer.ending === "open"; at += piece) {
    peer.send(hello.subarray(at, at + piece));
    await pause(gap);
  }
}

/** Some client of some kind for some route. */
export async function anyone(home: ClientHome): Promise<void> {
  const { random, world } = home;
  // Two of three behave.
  const kind = random() < 0.5 ? KINDS[0]! : KINDS[Math.floor(random() * KINDS.length)]!;
  const route = world.routes[Math.floor(random() * world.routes.length)]!;
  await ChaosClient.run(home, route, kind.what, kind.act, kind.reasons);
}

/** Half a hello, and then nothing for a while: it takes up descriptors. */
export async function squat(home: ClientHome, milliseconds: number): Promise<void> {
  const act: Act = async (client) => {
    client.peer.send(client.hello.subarray(0, 40));
    await pause(milliseconds);
    client.leave();
  };
  await ChaosClient.run(home, home.world.healthy, "a squatter", act, [
    "preread_timeout",
    "client_left",
    "client_reset",
  ]);
}
