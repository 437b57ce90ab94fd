/**
 * Smooth weighted round robin, in nginx's order: each choice raises every candidate's current weight by its own, takes
 * the highest and lowers that by the sum. A server that failed has less weight for a while.
 */

import type { Balancer, Choice } from "./balancer.ts";
import type { Member } from "./member.ts";

export class RoundRobin implements Balancer {
  readonly #members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  choose(_choice: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined {
    return smoothest(this.#members, tick, allows);
  }
}

/** The turn among those of `members` that `allows` lets through. */
export function smoothest(
  members: readonly Member[],
  tick: number,
  allows: (member: Member) => boolean,
): Member | undefined {
  // A server that is alone has nothing to be slow against.
  const slow = members.length > 1;
  let best: Member | undefined;
  let total = 0;
  for (const member of members) {
    if (!allows(member)) continue;
    total += member.raise(tick, slow);
    if (best === undefined || member.currentWeight > best.currentWeight) best = member;
  }
  best?.lower(total);
  return best;
}
