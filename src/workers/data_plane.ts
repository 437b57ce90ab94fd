/**
 * The data plane of one worker: a proxy server whose names, log and warnings are the control plane's affair.
 *
 * Owns: the conversation with the control plane. It must not touch the outside world but through the adapter and `post`,
 * and uses no promise once it has started: its thread may sleep in `epoll_wait`.
 */

import type { Adapter } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { IoError } from "../errors.ts";
import { WorkerLimits } from "../limits/admission.ts";
import { OpenCount } from "../limits/open_count.ts";
import { compileLineFormat } from "../log/access_log.ts";
import { ThreadMetrics } from "../metrics/thread_metrics.ts";
import type { ResolveAnswer } from "../proxy/connection.ts";
import { ListenError } from "../proxy/listen_error.ts";
import { ProxyServer } from "../proxy/proxy_server.ts";
import { Board } from "../upstream/board.ts";
import { EndedConnections } from "./ended_connections.ts";
import { inspect } from "./inspection.ts";
import type { Cycle, FromWorker, ReloadMessage, StartMessage, ToWorker, UpstreamPlaces } from "./protocol.ts";

/** Log lines are sent together: at this size, or after so many milliseconds. */
const LOG_BATCH = 32_768;
const LOG_DELAY = 50;

export interface DataPlaneParts {
  readonly adapter: Adapter;
  /** Written to by the control plane to wake this thread; undefined where messages do. */
  readonly wakeDescriptor: number | undefined;
  post(message: FromWorker): void;
}

export class DataPlane {
  readonly #parts: DataPlaneParts;
  readonly #asked = new Map<number, ResolveAnswer>();
  #start: StartMessage | undefined;
  #server: ProxyServer | undefined;
  #board: Board | undefined;
  /** The reload under way, or the last one. */
  #reloading: Promise<void> = Promise.resolve();
  /** Of a line of the access log, if there is one. */
  #format: ((record: ConnectionRecord) => string) | undefined;
  #metrics: ThreadMetrics | undefined;
  /** Kept for whoever operates the proxy, if the configuration lets them ask. */
  readonly #ended = new EndedConnections();
  #keepsEnded = false;
  #lines = "";
  #records: ConnectionRecord[] = [];
  #flushing = false;
  #questions = 0;
  #told = 0;

  constructor(parts: DataPlaneParts) {
    this.#parts = parts;
  }

  /** Opens the listeners; tells the control plane how that went. False: there is nothing to serve. */
  async start(message: StartMessage): Promise<boolean> {
    try {
      const config = shareOf(message.config, message.board.workers);
      this.#start = message;
      this.#setLogs(config);
      this.#server = this.#createServer(config, message);
      for (const places of message.places) this.#setPlaces(places);
      await this.#server.start();
      this.#metrics?.start();
      this.#parts.post({ kind: "started", wakeDescriptor: this.#parts.wakeDescriptor });
      return true;
    } catch (error) {
      this.#parts.post({ kind: "failed", ...failureOf(error) });
      return false;
    }
  }

  /** Another configuration; it comes into force as a whole, or not at all. */
  async #reload(message: ReloadMessage): Promise<void> {
    try {
      const server = this.#server!;
      const config = shareOf(message.config, message.board.workers);
      this.#board!.extend(message.board);
      const prepared = await server.prepare(config, {
        endpoints: message.endpoints,
        connectionLimit: message.connectionLimit,
        limits: this.#limitsOf(config, message),
        secrets: message.secrets,
        allotments: message.allotments,
        places: new Map(message.places),
      });
      server.reconfigure(prepared);
      this.#setLogs(config);
      this.#parts.post({ kind: "reloaded" });
    } catch (error) {
      this.#parts.post({ kind: "reload_failed", ...failureOf(error) });
    }
  }

  /** A message other than `start`. */
  receive(message: Exclude<ToWorker, StartMessage>): void {
    switch (message.kind) {
      case "reload":
        // One after the other: each looks at the listeners that the former one left.
        this.#reloading = this.#reloading.then(() => this.#reload(message));
        return;
      case "count_all":
        if (this.#server === undefined || this.#metrics !== undefined) return;
        this.#metrics = this.#countAll();
        this.#server.countAll(this.#metrics);
        this.#metrics.start();
        return;
      case "resolved":
        this.#asked.get(message.id)?.(message.answer);
        this.#asked.delete(message.id);
        return;
      case "places":
        this.#setPlaces(message.upstream);
        return;
      case "own_addresses":
        this.#server?.setOwnAddresses(message.addresses);
        return;
      case "drain":
        this.#parts.post({ kind: "draining", connections: this.#server?.openConnections ?? 0 });
        this.#server?.drain(message.timeout, () => {
          this.#flush();
          this.#parts.post({ kind: "drained" });
        });
        return;
      case "freed":
        this.#server?.freed(message.upstream);
        return;
      case "room":
        this.#server?.room();
        return;
      case "cut":
        this.#server?.cut();
        return;
      case "ping":
        this.#parts.post({ kind: "pong", number: message.number });
        return;
      case "cut_server":
        this.#server?.cutServer(message.slot);
        return;
      case "ask":
        if (this.#server !== undefined) {
          const answer = inspect(this.#server, this.#ended, message.question);
          this.#parts.post({ kind: "answer", id: message.id, answer });
        }
        return;
    }
  }

  #setPlaces([upstream, places]: UpstreamPlaces): void {
    this.#server?.upstreams.get(upstream)?.setMembers(places);
  }

  #createServer(config: Config, message: StartMessage): ProxyServer {
    this.#metrics = message.metrics ? this.#countAll() : undefined;
    this.#board = new Board(message.board, message.worker, this.#parts.adapter.clock);
    return new ProxyServer(config, {
      adapter: this.#parts.adapter,
      endpoints: message.endpoints,
      reusePort: message.reusePort,
      adopt: message.adopt,
      ownAddresses: message.ownAddresses,
      connectionLimit: message.connectionLimit,
      open: new OpenCount(message.open, message.worker),
      tellRoom: () => this.#parts.post({ kind: "room" }),
      limits: this.#limitsOf(config, message),
      secrets: message.secrets,
      numbering: message.numbering,
      board: { board: this.#board, allotments: message.allotments },
      resolve: (name, answer) => this.#ask(name, answer),
      passOn: (worker, upstream) => this.#parts.post({ kind: "freed", upstream, worker }),
      metrics: this.#metrics,
      accepted: () => this.#schedule(),
      finished: (record) => {
        if (this.#format !== undefined) this.#lines += `${this.#format(record)}\n`;
        if (message.records) this.#records.push(record);
        if (this.#keepsEnded) this.#ended.add(record);
        this.#schedule();
      },
      warn: (text) => this.#parts.post({ kind: "warn", message: text }),
    });
  }

  #countAll(): ThreadMetrics {
    return new ThreadMetrics({
      clock: this.#parts.adapter.clock,
      connections: () => this.#server?.connections ?? [],
      changed: () => this.#schedule(),
    });
  }

  #setLogs({ log: { access }, admin }: Config): void {
    this.#format = access === undefined ? undefined : compileLineFormat(access.format);
    this.#keepsEnded = admin !== undefined;
    if (!this.#keepsEnded) this.#ended.clear();
  }

  #limitsOf(config: Config, { limits }: Cycle): WorkerLimits | undefined {
    return limits && new WorkerLimits(config.limits, limits, this.#start!.worker);
  }

  #ask(name: string, answer: ResolveAnswer): void {
    const id = ++this.#questions;
    this.#asked.set(id, answer);
    this.#parts.post({ kind: "resolve", id, name });
  }

  #schedule(): void {
    if (this.#lines.length >= LOG_BATCH) this.#flush();
    else if (!this.#flushing) {
      this.#flushing = true;
      this.#parts.adapter.clock.after(LOG_DELAY, () => {
        this.#flushing = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#lines !== "") this.#parts.post({ kind: "log", lines: this.#lines.slice(0, -1) });
    this.#lines = "";
    if (this.#records.length > 0) this.#parts.post({ kind: "records", records: this.#records.splice(0) });
    const counts = this.#server?.counts.take();
    if (counts !== undefined) this.#parts.post({ kind: "counts", counts });
    const delta = this.#metrics?.take();
    if (delta !== undefined) this.#parts.post({ kind: "metrics", delta });
    const open = this.#server?.openConnections ?? 0;
    if (open === this.#told) return;
    this.#told = open;
    this.#parts.post({ kind: "open", connections: open });
  }
}

function failureOf(error: unknown): { readonly error: IoError; readonly endpoint: Endpoint | undefined } {
  const endpoint = error instanceof ListenError ? error.endpoint : undefined;
  const code = error instanceof ListenError ? error.code : "EUNKNOWN";
  const message = error instanceof Error ? error.message : String(error);
  return { error: { code, message }, endpoint };
}

/** What all workers may hold together is shared out; one connection's first message fits into each share. */
function shareOf(config: Config, workers: number): Config {
  const { prereadBytes, prereadTotal } = config.limits;
  const share = Math.max(prereadBytes, Math.floor(prereadTotal / Math.max(1, workers)));
  return { ...config, limits: { ...config.limits, prereadTotal: share } };
}
