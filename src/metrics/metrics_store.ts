/**
 * The numbers of a running proxy, for whoever asks.
 *
 * Owns: the last hour, and the answers. What is a state is asked for when somebody wants to know it.
 */

import type { Clock } from "../adapter.ts";
import type { ConfigurationState, EndingAnswer, HistoryAnswer, ListenerAnswer, NamesAnswer } from "../admin/api.ts";
import type { UpstreamStatus } from "../health/status.ts";
import type { Resources } from "../host.ts";
import type { ResolverCounts } from "../names/resolver_counts.ts";
import { REASONS } from "../reason.ts";
import { isRejection, REMEDIES } from "../remedy.ts";
import type { ConnectionCounts } from "./counts.ts";
import type { MetricsDelta } from "./delta.ts";
import { History, INTERVAL } from "./history.ts";
import { MergedNumbers, openIn } from "./merged_numbers.ts";
import { renderPrometheus } from "./prometheus.ts";
import type { ProxyMetrics, RouteNumbers, Totals } from "./proxy_metrics.ts";
import { REASON_CODES } from "./tally.ts";
import { addTraffic, noTraffic, type Traffic } from "./traffic.ts";

/** What the store asks when it is asked itself. */
export interface MetricsParts {
  readonly clock: Pick<Clock, "now" | "wallTime" | "after">;
  readonly version: string;
  readonly runtime: string;
  readonly adapter: string;
  /** Merges what could be merged by now: of connections in this thread. */
  refresh(): void;
  readonly counts: ConnectionCounts;
  readonly workers: number;
  readonly openConnections: number;
  readonly connectionLimit: number;
  /** In the order of the configuration. */
  readonly listeners: readonly Pick<ListenerAnswer, "address" | "protocol">[];
  readonly upstreams: readonly UpstreamStatus[];
  readonly configuration: ConfigurationState;
  readonly failedReloads: number;
  readonly resolver: ResolverCounts;
  /** Lines of the access log. */
  readonly droppedLines: number;
  resources(): Resources;
}

export class MetricsStore implements ProxyMetrics {
  readonly parts: MetricsParts;
  readonly numbers: MergedNumbers;
  /** Since the epoch, ms. */
  readonly startedAt: number;
  readonly #history: History;
  #cancel: () => void = () => {};

  /** @param shown series of each kind; absent: `MOST_SERIES`. */
  constructor(parts: MetricsParts, shown?: number) {
    this.parts = parts;
    this.numbers = new MergedNumbers(shown);
    this.startedAt = parts.clock.wallTime();
    this.#history = new History(this.numbers.sums);
  }

  /** Begins the history. */
  start(): void {
    const { clock } = this.parts;
    const began = clock.now();
    let samples = 0;
    const next = (): void => {
      samples++;
      this.#cancel = clock.after(began + samples * INTERVAL - clock.now(), () => {
        this.#sample();
        next();
      });
    };
    next();
  }

  stop(): void {
    this.#cancel();
  }

  /** What a worker, from 0, has counted since it last told. */
  merge(worker: number, delta: MetricsDelta): void {
    this.numbers.merge(worker, delta);
  }

  /** A worker is gone. */
  lost(worker: number): void {
    this.numbers.lost(worker);
  }

  prometheus(): string {
    this.parts.refresh();
    return renderPrometheus(this);
  }

  history(): HistoryAnswer {
    return this.#history.answer;
  }

  names(limit: number): NamesAnswer {
    this.parts.refresh();
    const { names } = this.numbers;
    const all = names.top(Infinity);
    const others = { ...names.others };
    for (const name of all.slice(limit)) addTraffic(others, name);
    return { names: all.slice(0, limit), others };
  }

  endings(): readonly EndingAnswer[] {
    this.parts.refresh();
    const { ended } = this.numbers;
    const lastHour = this.#history.lastHour(ended);
    const all = REASON_CODES.map((reason, index) => ({
      reason,
      count: ended[index] ?? 0,
      lastHour: lastHour[index] ?? 0,
      meaning: REASONS[reason],
      remedy: REMEDIES[reason],
      isRejection: isRejection(reason),
    }));
    return all.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count);
  }

  routes(): readonly RouteNumbers[] {
    this.parts.refresh();
    const { routes } = this.numbers;
    const rows = [...routes.rows()].map(({ first, second, value }) => ({
      listener: first,
      route: second,
      traffic: { ...value },
    }));
    if (routes.rest === undefined) return rows;
    return [...rows, { listener: undefined, route: undefined, traffic: { ...routes.rest } }];
  }

  route(pattern: string, listeners: readonly string[]): Traffic {
    const sum = noTraffic();
    for (const listener of listeners) {
      const traffic = this.numbers.routes.get(listener, pattern);
      if (traffic !== undefined) addTraffic(sum, traffic);
    }
    return sum;
  }

  totals(): Totals {
    this.parts.refresh();
    const { accepted, received, sent } = this.numbers.sums;
    const { openConnections: open, connectionLimit: limit } = this.parts;
    const { resident, descriptors, descriptorLimit } = this.parts.resources();
    return {
      connections: { open, limit, accepted },
      bytes: { received, sent },
      listeners: this.parts.listeners.map(({ address, protocol }) => ({
        address,
        protocol,
        open: this.numbers.openOf(address),
        accepted: this.numbers.listeners.get(address)?.accepted ?? 0,
      })),
      workers: Array.from({ length: this.parts.workers }, (_, index) => this.#worker(index)),
      memory: { resident },
      descriptors: { open: descriptors, limit: descriptorLimit },
    };
  }

  #worker(index: number): Totals["workers"][number] {
    const worker = this.numbers.worker(index);
    const lag = worker.worstLag;
    worker.worstLag = 0;
    return { worker: index + 1, open: openIn(worker.open), lag };
  }

  #sample(): void {
    const { parts, numbers } = this;
    parts.refresh();
    this.#history.sample(parts.clock.wallTime(), parts.openConnections, numbers.sums);
    const addresses = new Set(parts.listeners.map(({ address }) => address));
    numbers.listeners.makeRoom((address) => !addresses.has(address) && numbers.openOf(address) === 0);
    numbers.routes.makeRoom((address) => !addresses.has(address));
    const servers = new Set(
      parts.upstreams.flatMap(({ name, servers }) => servers.map(({ address }) => `${name}\0${address}`)),
    );
    numbers.servers.makeRoom((upstream, server) => !servers.has(`${upstream}\0${server}`));
  }
}
