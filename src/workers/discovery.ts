/**
 * The servers of upstreams that DNS names: the addresses of a name (`resolve: true`), the SRV records of a service.
 *
 * Owns: asking again when an answer is over, and each found server's slot on the board. What stops resolving keeps its
 * last servers. It must not choose a server, and touches no connection.
 */

import type { Clock } from "../adapter.ts";
import type { Config, ServerConfig, Target, UpstreamConfig } from "../config/config.ts";
import type { IoError } from "../errors.ts";
import type { ServiceRecord } from "../host.ts";
import type { NameCache } from "../names/name_cache.ts";
import type { Allotment, AllotmentMap, OpenBoard } from "../upstream/allotments.ts";
import { configuredPlaces, type MemberPlace } from "../upstream/upstream.ts";
import type { UpstreamPlaces } from "./protocol.ts";

/** Milliseconds: between two questions about one name at least, and after a failure. */
const SHORTEST = 1_000;
const RETRY = 5_000;
/** The largest weight of a service's servers; greater ones (16 bits, RFC 2782) are scaled: a hash ring has 160 points for each unit. */
const MAX_WEIGHT = 100;

export interface DiscoveryParts {
  readonly config: Config;
  readonly names: Pick<NameCache, "lookUp" | "lookUpService">;
  readonly clock: Pick<Clock, "now" | "after">;
  /** Where an upstream's slots are, and what they hold. */
  readonly board: OpenBoard;
  /** An upstream's servers have changed. */
  changed(upstream: string, places: readonly MemberPlace[]): void;
  warn(message: string): void;
}

/** A server that was found, without its place. */
type Found = Omit<MemberPlace, "slot" | "server">;

/** One configured server that is found by DNS. */
interface Source {
  group: Group;
  server: number;
  config: ServerConfig;
  /** Undefined until it has been resolved once. */
  places: readonly MemberPlace[] | undefined;
  failing: boolean;
  /** It has more servers than places, and that was told. */
  overflowing: boolean;
  /** No configuration names it any more. */
  dropped: boolean;
  /** Ends the wait for the next question. */
  cancel: () => void;
}

interface Group {
  readonly config: UpstreamConfig;
  readonly allotment: Allotment;
  readonly sources: Source[];
}

export class Discovery {
  readonly #parts: DiscoveryParts;
  #groups: readonly Group[];

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
    this.#groups = groupsOf(parts.config, parts.board.allotments, new Map());
  }

  /** No upstream has servers that DNS names. */
  get isIdle(): boolean {
    return this.#groups.length === 0;
  }

  /** The servers at work of every upstream that has some by DNS. */
  get places(): UpstreamPlaces[] {
    return this.#groups.map((group) => [group.config.name, placesOf(group)]);
  }

  /** Asks for every name, and goes on asking; resolves when all were answered once, or cannot be. */
  async start(): Promise<void> {
    await Promise.all(this.#sources.map((source) => this.#refresh(source)));
  }

  /**
   * Goes over to another configuration: what it names as well keeps its servers, what is new is asked for.
   * @returns resolves when that was answered once, or cannot be.
   */
  async reconfigure(config: Config, allotments: AllotmentMap): Promise<void> {
    const known = new Map(this.#sources.map((source) => [sourceKey(source.group.config, source.config), source]));
    this.#groups = groupsOf(config, allotments, known);
    const sources = this.#sources;
    for (const source of known.values()) if (!sources.includes(source)) drop(source);
    const before = new Set(known.values());
    await Promise.all(sources.filter((source) => !before.has(source)).map((source) => this.#refresh(source)));
  }

  stop(): void {
    for (const source of this.#sources) drop(source);
  }

  get #sources(): Source[] {
    return this.#groups.flatMap(({ sources }) => sources);
  }

  async #refresh(source: Source): Promise<void> {
    const { clock, warn } = this.#parts;
    let next: number;
    try {
      const { value, freshUntil } = await this.#lookUp(source);
      next = Math.max(SHORTEST, freshUntil - clock.now());
      if (source.failing) warn(`upstream ${source.group.config.name}: ${nameOf(source)} resolves again`);
      source.failing = false;
      if (!source.dropped) this.#found(source, value);
    } catch (error) {
      next = RETRY;
      this.#failed(source, error as IoError);
    }
    if (!source.dropped) source.cancel = clock.after(next, () => void this.#refresh(source));
  }

  async #lookUp({ config }: Source): Promise<{ readonly value: readonly Found[]; readonly freshUntil: number }> {
    const { names } = this.#parts;
    if (config.target.kind !== "host") return { value: [], freshUntil: Infinity };
    const { name, port } = config.target;
    if (config.discover === "service") {
      const { value, freshUntil } = await names.lookUpService(name);
      return { value: serversOf(value), freshUntil };
    }
    const { value, freshUntil } = await names.lookUp(name);
    return { value: value.map((ip) => ({ target: { kind: "ip", ip, port } })), freshUntil };
  }

  #failed(source: Source, { code }: IoError): void {
    if (source.failing || source.dropped) return;
    source.failing = true;
    const kept = source.places === undefined ? "" : "; its last servers are kept";
    this.#parts.warn(`upstream ${source.group.config.name}: Cannot resolve ${nameOf(source)}: ${code}${kept}`);
  }

  #found(source: Source, found: readonly Found[]): void {
    const before = new Map((source.places ?? []).map((place) => [keyOf(place), place]));
    const places: MemberPlace[] = [];
    const fresh: Found[] = [];
    for (const server of found) {
      const old = before.get(keyOf(server));
      if (old === undefined) fresh.push(server);
      else places.push({ ...server, slot: old.slot, server: source.server });
    }
    this.#place(source, fresh, places);
    places.sort((a, b) => a.slot - b.slot);
    if (source.places !== undefined && JSON.stringify(places) === JSON.stringify(source.places)) return;
    source.places = places;
    this.#parts.changed(source.group.config.name, placesOf(source.group));
  }

  /** Gives each new server a slot that nobody has, and whose last server's connections have ended. */
  #place(source: Source, fresh: readonly Found[], places: MemberPlace[]): void {
    const { board } = this.#parts.board;
    const { group } = source;
    const taken = new Set([...places, ...placesOf(group)].map(({ slot }) => slot));
    const free = group.allotment.spare.filter((slot) => !taken.has(slot) && board.read(slot, "active") === 0);
    for (const server of fresh) {
      const slot = free.shift();
      if (slot === undefined) {
        this.#tellOverflow(source, places.length);
        return;
      }
      board.clear(slot);
      places.push({ ...server, slot, server: source.server });
    }
    source.overflowing = false;
  }

  /** Once, as long as it lasts: DNS says it again with every answer. */
  #tellOverflow(source: Source, used: number): void {
    if (source.overflowing) return;
    source.overflowing = true;
    const { name } = source.group.config;
    this.#parts.warn(`upstream ${name}: ${nameOf(source)} has more servers than can be used; ${used} are`);
  }
}

/** The groups of a configuration; sources that are in `known` go on. */
function groupsOf(config: Config, allotments: AllotmentMap, known: ReadonlyMap<string, Source>): Group[] {
  const groups: Group[] = [];
  for (const upstream of config.upstreams.values()) {
    const group: Group = { config: upstream, allotment: allotments.get(upstream.name)!, sources: [] };
    for (const [server, found] of upstream.servers.entries()) {
      if (found.discover === undefined) continue;
      const source = known.get(sourceKey(upstream, found)) ?? newSource(group, server, found);
      Object.assign(source, { group, server, config: found });
      source.places = source.places?.map((place) => ({ ...place, server }));
      group.sources.push(source);
    }
    if (group.sources.length > 0) groups.push(group);
  }
  return groups;
}

function newSource(group: Group, server: number, config: ServerConfig): Source {
  const fresh = { places: undefined, failing: false, overflowing: false, dropped: false, cancel: () => {} };
  return { group, server, config, ...fresh };
}

function sourceKey({ name }: UpstreamConfig, { target, discover }: ServerConfig): string {
  return JSON.stringify([name, target, discover]);
}

function drop(source: Source): void {
  source.dropped = true;
  source.cancel();
}

/** A source that was not resolved yet stands as the configuration has it. */
function placesOf({ config, allotment, sources }: Group): readonly MemberPlace[] {
  const found = new Map(sources.map(({ server, places }) => [server, places]));
  const configured = configuredPlaces(config, allotment);
  return [
    ...configured.filter(({ server }) => found.get(server) === undefined),
    ...sources.flatMap(({ places }) => places ?? []),
  ];
}

function nameOf({ config: { target } }: Source): string {
  return target.kind === "host" ? target.name : "";
}

function keyOf({ target }: { readonly target: Target }): string {
  return JSON.stringify(target);
}

/** RFC 2782: the lowest priority serves, by weight; what has a higher one is for when none of those can. */
function serversOf(records: readonly ServiceRecord[]): Found[] {
  // The root as target: the service is decidedly not available there. Nothing listens on port 0.
  const usable = records.filter(({ target, port }) => target !== "" && port !== 0);
  const first = Math.min(...usable.map(({ priority }) => priority));
  const share = Math.min(1, MAX_WEIGHT / Math.max(...usable.map(({ weight }) => weight)));
  const found = usable.map(
    ({ priority, weight, port, target }): Found => ({
      target: { kind: "host", name: target, port },
      weight: Math.max(1, Math.round(weight * share)),
      backup: priority !== first,
    }),
  );
  return [...new Map(found.map((server) => [keyOf(server), server])).values()];
}
