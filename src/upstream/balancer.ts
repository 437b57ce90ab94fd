/**
 * What every method of balancing is: a choice among the servers that may be chosen.
 *
 * Owns: the contract of methods, and their making. A method chooses under the upstream's lock; it must not connect
 * nor count.
 */

import type { BalanceConfig } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { compileText } from "../variables.ts";
import { ConsistentHash } from "./consistent_hash.ts";
import { Hash } from "./hash.ts";
import { LeastConn } from "./least_conn.ts";
import type { Member } from "./member.ts";
import { RoundRobin } from "./round_robin.ts";
import { WeightedRandom } from "./weighted_random.ts";

/** The connection that a server is chosen for. */
export interface Choice {
  readonly record: ConnectionRecord;
  /** Servers that it has tried. */
  readonly tried: ReadonlySet<Member>;
}

export interface Balancer {
  /**
   * One of the members for which `allows` is true; undefined where there is none.
   * @param tick the board's time.
   */
  choose(choice: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined;
}

/** A method at work for these servers. @param random from 0 up to 1. */
export function createBalancer(method: BalanceConfig, members: readonly Member[], random: () => number): Balancer {
  switch (method.kind) {
    case "round_robin":
      return new RoundRobin(members);
    case "least_conn":
      return new LeastConn(members);
    case "random":
    case "random_two":
      return new WeightedRandom(members, method.kind === "random_two", random);
    case "hash": {
      const keyOf = compileText(method.key);
      return method.consistent ? new ConsistentHash(members, keyOf) : new Hash(members, keyOf);
    }
  }
}
