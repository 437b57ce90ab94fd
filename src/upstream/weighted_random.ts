/**
 * A server by chance, the likelier the more weight it has; or the less loaded one of two. nginx's `random`.
 *
 * With many workers or many proxies in front of the same servers, the better of two does not drive all of them to the
 * same server at once, as the least loaded one would.
 */

import type { Balancer, Choice } from "./balancer.ts";
import { compareLoad } from "./least_conn.ts";
import type { Member } from "./member.ts";
import { memberAt, totalWeight } from "./weight_scale.ts";

export class WeightedRandom implements Balancer {
  readonly #members: readonly Member[];
  readonly #two: boolean;
  readonly #random: () => number;

  /** @param two the less loaded one of two. @param random from 0 up to 1. */
  constructor(members: readonly Member[], two: boolean, random: () => number) {
    this.#members = members;
    this.#two = two;
    this.#random = random;
  }

  choose(_choice: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined {
    const candidates = this.#members.filter(allows);
    const first = this.#draw(candidates);
    if (!this.#two || first === undefined || candidates.length < 2) return first;
    const second = this.#draw(candidates.filter((member) => member !== first))!;
    return compareLoad(second, first, tick) < 0 ? second : first;
  }

  #draw(members: readonly Member[]): Member | undefined {
    return memberAt(members, this.#random() * totalWeight(members));
  }
}
