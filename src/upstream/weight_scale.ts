/**
 * Servers laid side by side, each as wide as its weight: which one is at a place.
 */

import type { Member } from "./member.ts";

/** All weights together. */
export function totalWeight(members: readonly Member[]): number {
  return members.reduce((sum, { config }) => sum + config.weight, 0);
}

/** Who is at `place`, from 0 up to `totalWeight`; undefined only where there is no server. */
export function memberAt(members: readonly Member[], place: number): Member | undefined {
  let left = place;
  for (const member of members) {
    left -= member.config.weight;
    if (left < 0) return member;
  }
  return members.at(-1);
}
