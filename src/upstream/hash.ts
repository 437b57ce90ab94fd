/**
 * A server by the hash of a key: the same key, the same server, as long as the servers stay the same. nginx's `hash KEY`
 * (the arithmetic of Cache::Memcached), so that both lead the same key to the same server.
 */

import type { ConnectionRecord } from "../connection_record.ts";
import type { Balancer, Choice } from "./balancer.ts";
import { CRC32_START, crc32End, crc32Text } from "./crc32.ts";
import type { Member } from "./member.ts";
import { smoothest } from "./round_robin.ts";
import { memberAt, totalWeight } from "./weight_scale.ts";

/** Other servers that a key is led to while its own cannot be chosen; then the turn decides. */
const REHASHES = 20;

export class Hash implements Balancer {
  readonly #members: readonly Member[];
  readonly #keyOf: (record: ConnectionRecord) => string;
  readonly #totalWeight: number;

  constructor(members: readonly Member[], keyOf: (record: ConnectionRecord) => string) {
    this.#members = members;
    this.#keyOf = keyOf;
    this.#totalWeight = totalWeight(members);
  }

  choose({ record }: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined {
    const key = this.#keyOf(record);
    // Without a key there is nothing that should stay together.
    if (key === "" || this.#members.length < 2) return smoothest(this.#members, tick, allows);
    let sum = 0;
    for (let again = 0; again <= REHASHES; again++) {
      sum += partOf(key, again);
      const member = memberAt(this.#members, sum % this.#totalWeight)!;
      if (allows(member)) return member;
    }
    return smoothest(this.#members, tick, allows);
  }
}

function partOf(key: string, again: number): number {
  const start = again === 0 ? CRC32_START : crc32Text(CRC32_START, String(again));
  return (crc32End(crc32Text(start, key)) >>> 16) & 0x7fff;
}
