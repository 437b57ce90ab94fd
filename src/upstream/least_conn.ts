/**
 * The server with the fewest connections for its weight; round robin among those that are level. nginx's `least_conn`.
 */

import type { Balancer, Choice } from "./balancer.ts";
import type { Member } from "./member.ts";
import { smoothest } from "./round_robin.ts";

export class LeastConn implements Balancer {
  readonly #members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  choose(_choice: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined {
    const candidates = this.#members.filter(allows);
    let least: Member[] = [];
    for (const member of candidates) {
      const order = least[0] === undefined ? -1 : compareLoad(member, least[0], tick);
      if (order < 0) least = [member];
      else if (order === 0) least.push(member);
    }
    return least.length > 1 ? smoothest(least, tick, () => true) : least[0];
  }
}

/** Below 0 where `a` has fewer connections for its weight than `b`. */
export function compareLoad(a: Member, b: Member, tick: number): number {
  return a.active * b.weight(tick) - b.active * a.weight(tick);
}
