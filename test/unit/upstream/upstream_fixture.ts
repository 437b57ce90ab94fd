/** An upstream from its options in YAML, and choices of it as one string of servers' names. */

import assert from "node:assert/strict";
import { loadConfig } from "../../../src/config/load.ts";
import { type ConnectionRecord, newRecord } from "../../../src/connection_record.ts";
import { Allotments } from "../../../src/upstream/allotments.ts";
import type { Choice } from "../../../src/upstream/balancer.ts";
import { Board } from "../../../src/upstream/board.ts";
import { Member } from "../../../src/upstream/member.ts";
import { Upstream } from "../../../src/upstream/upstream.ts";
import { seededRandom } from "../proxy/simulated_world.ts";

export const CLOCK = { now: () => 0, wallTime: () => 1_700_000_000_000 };

/** Servers are written `{ address: "a:1", … }`; their names are what stands before the port. */
export function createUpstream(options: string, workers = 0) {
  const text = `listeners: [{ address: 10.0.0.5:443 }]\nroutes: { default: pool }\nupstreams: { pool: ${options} }\n`;
  const loaded = loadConfig(text, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const config = loaded.config.upstreams.get("pool")!;
  const { memory, allotments } = new Allotments([config], workers, CLOCK);
  const told: string[] = [];
  const passed: number[] = [];
  const open = (worker: number) =>
    new Upstream(config, allotments.get("pool")!, {
      board: new Board(memory, worker, CLOCK),
      random: seededRandom(7),
      tell: (message) => told.push(message),
      passOn: (to) => passed.push(to),
    });
  return { upstream: open(0), open, told, passed, memory };
}

export function recordOf(ip = "198.51.100.9", serverName = "shop.example.test"): ConnectionRecord {
  const peer = { kind: "tcp", ip, port: 50000 } as const;
  const record = newRecord(1, 0, "10.0.0.5:443", "tls", peer, { kind: "tcp", ip: "10.0.0.5", port: 443 });
  record.serverName = serverName;
  return record;
}

export function choice(tried: readonly Member[] = [], record = recordOf()): Choice {
  return { record, tried: new Set(tried) };
}

/** What stands before the port, or `busy`, or `-` for none. */
export function nameOf(taken: Member | "busy" | undefined): string {
  return taken instanceof Member ? taken.name.replace(/:\d+$/, "") : (taken ?? "-");
}

/** The member that a new connection gets now. */
export function take(upstream: Upstream, now = 0, tried: readonly Member[] = []): Member {
  const member = upstream.take(choice(tried), now);
  assert.ok(member instanceof Member, nameOf(member));
  return member;
}

/** Who serves `count` connections, one after another. */
export function order(upstream: Upstream, count: number, now = 0): string {
  let names = "";
  for (let index = 0; index < count; index++) {
    const member = take(upstream, now);
    names += nameOf(member);
    member.release();
  }
  return names;
}

/** Who serves the client, when it comes now. */
export function serverOf(upstream: Upstream, ip: string, tried: readonly Member[] = []): string {
  const member = upstream.take(choice(tried, recordOf(ip)), 0);
  if (member instanceof Member) member.release();
  return nameOf(member);
}

export const CLIENTS = Array.from({ length: 4_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
