/**
 * A server by the hash of a key on a ring (ketama): when one of n servers leaves or comes, only about one of n keys moves.
 * nginx's `hash KEY consistent` (the points of Cache::Memcached::Fast), so that both lead the same key to the same server.
 */

import type { ConnectionRecord } from "../connection_record.ts";
import type { Balancer, Choice } from "./balancer.ts";
import { CRC32_START, crc32Byte, crc32End, crc32Text } from "./crc32.ts";
import type { Member } from "./member.ts";
import { smoothest } from "./round_robin.ts";

/** Points of a server for each unit of its weight. */
const POINTS = 160;

export class ConsistentHash implements Balancer {
  readonly #members: readonly Member[];
  readonly #keyOf: (record: ConnectionRecord) => string;
  /** Servers with one configured address, which share its points. */
  readonly #groups: readonly (readonly Member[])[];
  /** Where the points are, in order, and whose each is. */
  readonly #points: Uint32Array;
  readonly #owners: Uint32Array;

  constructor(members: readonly Member[], keyOf: (record: ConnectionRecord) => string) {
    this.#members = members;
    this.#keyOf = keyOf;
    const groups = new Map<string, Member[]>();
    for (const member of members) {
      const group = groups.get(member.name);
      if (group === undefined) groups.set(member.name, [member]);
      else group.push(member);
    }
    this.#groups = [...groups.values()];
    const ring = ringOf(this.#groups);
    this.#points = Uint32Array.from(ring, (entry) => Math.floor(entry / this.#groups.length));
    this.#owners = Uint32Array.from(ring, (entry) => entry % this.#groups.length);
  }

  choose({ record }: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined {
    const key = this.#keyOf(record);
    if (key === "" || this.#groups.length < 2) return smoothest(this.#members, tick, allows);
    const first = this.#find(crc32End(crc32Text(CRC32_START, key)));
    const refused = new Set<number>();
    for (let step = 0; refused.size < this.#groups.length && step < this.#points.length; step++) {
      const owner = this.#owners[(first + step) % this.#owners.length]!;
      if (refused.has(owner)) continue;
      const member = smoothest(this.#groups[owner]!, tick, allows);
      if (member !== undefined) return member;
      refused.add(owner);
    }
    return undefined;
  }

  /** The first point that is not before `hash`; one behind the last for none. */
  #find(hash: number): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#points[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** All points in order, each once, as `point * groups + owner`: sorted as plain numbers, which 53 bits hold. */
function ringOf(groups: readonly (readonly Member[])[]): Float64Array {
  const total = groups.reduce((sum, [member]) => sum + POINTS * member!.config.weight, 0);
  const ring = new Float64Array(total);
  let filled = 0;
  for (const [owner, [member]] of groups.entries()) {
    const start = crc32Name(member!.name);
    let previous = 0;
    for (let point = 0; point < POINTS * member!.config.weight; point++) {
      previous = crc32End(crc32Number(start, previous));
      ring[filled++] = previous * groups.length + owner;
    }
  }
  ring.sort();
  return ring.filter(
    (entry, index) => index === 0 || Math.floor(entry / groups.length) !== Math.floor(ring[index - 1]! / groups.length),
  );
}

/** HOST, a zero byte, PORT; of a `unix:` path, the path and the zero byte. */
function crc32Name(name: string): number {
  const port = name.startsWith("unix:") ? null : /:([0-9]*)$/.exec(name);
  const host = name.slice(name.startsWith("unix:") ? 5 : 0, port?.index);
  return crc32Text(crc32Byte(crc32Text(CRC32_START, host), 0), port?.[1] ?? "");
}

/** 32 bits, the lowest byte first. */
function crc32Number(state: number, value: number): number {
  let crc = state;
  for (let shift = 0; shift < 32; shift += 8) crc = crc32Byte(crc, (value >>> shift) & 0xff);
  return crc;
}
