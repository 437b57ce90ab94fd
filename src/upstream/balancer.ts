/**
 * Chooses a server of an upstream.
 *
 * Owns: smooth weighted round robin, as nginx does it: each choice raises every candidate's current weight by its
 * own, takes the highest and lowers that by the sum. Backups come when no other server is left to try. It must
 * not connect, and knows a server only by its weight.
 */

/** What the balancer needs of a server. */
export interface Weighted {
  readonly weight: number;
  readonly backup: boolean;
}

interface Member<Server> {
  readonly server: Server;
  currentWeight: number;
}

/** Chooses among servers that were not tried yet. */
export interface Balancer<Server> {
  /** The next server for a connection that has already tried `tried`; undefined when none is left. */
  next(tried: ReadonlySet<Server>): Server | undefined;
}

export class RoundRobin<Server extends Weighted> implements Balancer<Server> {
  readonly #primary: Member<Server>[];
  readonly #backup: Member<Server>[];

  constructor(servers: readonly Server[]) {
    const members = servers.map((server) => ({ server, currentWeight: 0 }));
    this.#primary = members.filter((member) => !member.server.backup);
    this.#backup = members.filter((member) => member.server.backup);
  }

  next(tried: ReadonlySet<Server>): Server | undefined {
    return choose(this.#primary, tried) ?? choose(this.#backup, tried);
  }
}

function choose<Server extends Weighted>(
  members: readonly Member<Server>[],
  tried: ReadonlySet<Server>,
): Server | undefined {
  let best: Member<Server> | undefined;
  let total = 0;
  for (const member of members) {
    if (tried.has(member.server)) continue;
    member.currentWeight += member.server.weight;
    total += member.server.weight;
    if (best === undefined || member.currentWeight > best.currentWeight) best = member;
  }
  if (best === undefined) return undefined;
  best.currentWeight -= total;
  return best.server;
}
