/** A session with a real ClientHello and routes given in one line each. */

import assert from "node:assert/strict";
import { parseCidr } from "../../../src/address.ts";
import { type CidrSet, createCidrSet } from "../../../src/cidr_set.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { newRecord } from "../../../src/connection_record.ts";
import { createRouter } from "../../../src/proxy/listener_settings.ts";
import { kindRoutes } from "../../../src/session/kind_routes.ts";
import { PrereadBudget } from "../../../src/session/preread_buffer.ts";
import { Session } from "../../../src/session/session.ts";
import type { SessionSettings } from "../../../src/session/session_settings.ts";
import { ownBoard } from "../../../src/upstream/allotments.ts";
import { DirectPolicy } from "../../../src/upstream/direct_policy.ts";
import { LoopWatch } from "../../../src/upstream/loop_watch.ts";
import { createUpstreams } from "../../../src/upstream/upstream.ts";
import corpus from "../../fixtures/client_hellos.json" with { type: "json" };

export const PEER = { kind: "tcp", ip: "198.51.100.9", port: 50000 } as const;
export const LOCAL = { kind: "tcp", ip: "10.0.0.5", port: 443 } as const;

/** The first bytes of a corpus case, all chunks joined. */
export function corpusBytes(name: string): Uint8Array {
  const found = corpus.cases.find((entry) => entry.name === name);
  assert.ok(found, name);
  return Uint8Array.from(Buffer.from(found.chunks.join(""), "hex"));
}

/** A curl's hello for `shop.example.test`. */
export const HELLO: Uint8Array = corpusBytes("real-curl-default");

/** Sessions get the time as an argument, from 0. */
const CLOCK = { now: () => 0, wallTime: () => 1_700_000_000_000 };

export interface Options {
  readonly yaml?: string;
  readonly settings?: Partial<SessionSettings>;
}

const DEFAULT_YAML = "routes: { shop.example.test: 192.0.2.1:443 }";

/** Settings of the one listener of a configuration. */
export function settingsOf(
  yaml: string,
  changes: Partial<SessionSettings> = {},
  listener = "protocol: tls",
): SessionSettings {
  const listeners = `listeners: [{ address: 10.0.0.5:443, ${listener} }]`;
  const loaded = loadConfig(`${listeners}\n${yaml}\n`, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const { config } = loaded;
  const { board, allotments } = ownBoard(config.upstreams, CLOCK);
  return {
    protocol: config.listeners[0]!.protocol,
    kinds: config.listeners[0]!.kinds && kindRoutes(config.listeners[0]!.kinds),
    secrets: {},
    port: 443,
    trustedProxies: undefined,
    redirectToHttps: undefined,
    router: createRouter(config.listeners[0]!.routes),
    upstreams: createUpstreams(config.upstreams, allotments, {
      board,
      random: () => 0.5,
      tell: () => {},
    }),
    directPolicy: new DirectPolicy([LOCAL], ["10.0.0.5"]),
    loops: new LoopWatch(),
    prereadTimeout: 10_000,
    connectTimeout: 15_000,
    idleTimeout: 60_000,
    prereadBytes: 65536,
    budget: new PrereadBudget(1 << 20),
    ...changes,
  };
}

export function createSession({ yaml = DEFAULT_YAML, settings = {} }: Options = {}): Session {
  const all = settingsOf(yaml, settings);
  return new Session(all, newRecord(1, 0, "10.0.0.5:443", all.protocol, PEER, LOCAL), 0);
}

/** Trusts `198.51.100.0/24`, where `PEER` is. */
export function trusted(cidr = "198.51.100.0/24"): CidrSet {
  return createCidrSet([parseCidr(cidr)!]);
}

export const failure = (code: string) => ({ code, message: code });
