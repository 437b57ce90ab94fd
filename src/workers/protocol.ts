/**
 * What the control plane and a worker say to each other. Types only; everything here survives structured cloning.
 */

import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { Secrets } from "../config/secrets.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { IoError } from "../errors.ts";
import type { LimitsMemory } from "../limits/limits_memory.ts";
import type { OpenMemory } from "../limits/open_count.ts";
import type { ConnectionCounts } from "../metrics/counts.ts";
import type { MetricsDelta } from "../metrics/delta.ts";
import type { Adoptable } from "../proxy/listeners.ts";
import type { Numbering } from "../proxy/proxy_server.ts";
import type { AllotmentMap } from "../upstream/allotments.ts";
import type { BoardMemory } from "../upstream/board.ts";
import type { MemberPlace } from "../upstream/upstream.ts";
import type { WorkerAnswers, WorkerQuestion } from "./worker_question.ts";

/** An upstream's name, and its servers at work. */
export type UpstreamPlaces = readonly [upstream: string, places: readonly MemberPlace[]];

/** A configuration and what goes with it. */
export interface Cycle {
  /** Its route tables are memory that all threads share. */
  readonly config: Config;
  /** Where to listen, in the order of the configuration, ports resolved; null: another worker does (a `unix:` path). */
  readonly endpoints: readonly (Endpoint | null)[];
  /** Open connections of all workers at most. */
  readonly connectionLimit: number;
  /** What all workers count clients in; undefined where nothing limits clients. */
  readonly limits: LimitsMemory | undefined;
  /** Passwords of the proxies that the configuration names; they are to reach no log and no message. */
  readonly secrets: Secrets;
  /** What all workers count together of upstreams' servers. */
  readonly board: BoardMemory;
  /** What each upstream has of it. */
  readonly allotments: AllotmentMap;
  /** Servers that DNS has named so far, by upstream. */
  readonly places: readonly UpstreamPlaces[];
}

export interface StartMessage extends Cycle {
  readonly kind: "start";
  readonly adapter: string;
  /** Listening sockets to accept from in place of opening one, by address. */
  readonly adopt?: Adoptable;
  /** Each port is shared: by workers, and by the next process while this one drains. */
  readonly reusePort: boolean;
  readonly ownAddresses: readonly string[];
  /** The worker's number, from 0. */
  readonly worker: number;
  /** Where open connections of all workers are counted. */
  readonly open: OpenMemory;
  readonly numbering: Numbering;
  /** The control plane wants each finished connection's record, besides its log line. */
  readonly records: boolean;
  /** It wants all numbers, not reason codes alone. */
  readonly metrics: boolean;
}

/** Another configuration comes into force: `reloaded` or `reload_failed` follows, and then the former one stays. */
export interface ReloadMessage extends Cycle {
  readonly kind: "reload";
}

export type ToWorker =
  | StartMessage
  | ReloadMessage
  | { readonly kind: "resolved"; readonly id: number; readonly answer: readonly string[] | IoError }
  /** All numbers are wanted from now on, not reason codes alone. */
  | { readonly kind: "count_all" }
  /** DNS names other servers now. */
  | { readonly kind: "places"; readonly upstream: UpstreamPlaces }
  /** The interfaces' addresses have changed. */
  | { readonly kind: "own_addresses"; readonly addresses: readonly string[] }
  /** Stop accepting; what is left after `timeout` ms is cut. `draining` follows at once, `drained` at the end. */
  | { readonly kind: "drain"; readonly timeout: number }
  /** A server of an upstream (by its group on the board) has room, and a connection of yours is next. */
  | { readonly kind: "freed"; readonly upstream: number }
  /** Connections of other workers have ended, and yours may have room. */
  | { readonly kind: "room" }
  | { readonly kind: "cut" }
  /** To be answered by a `pong` with the same number: is the thread alive? */
  | { readonly kind: "ping"; readonly number: number }
  /** Cut the connections of an upstream's server. */
  | { readonly kind: "cut_server"; readonly slot: number }
  /** `answer` follows at once. */
  | { readonly kind: "ask"; readonly id: number; readonly question: WorkerQuestion };

export type FromWorker =
  | { readonly kind: "started"; readonly wakeDescriptor: number | undefined }
  /** It cannot start; `endpoint` where a listener is the cause. */
  | { readonly kind: "failed"; readonly error: IoError; readonly endpoint: Endpoint | undefined }
  | { readonly kind: "reloaded" }
  | { readonly kind: "reload_failed"; readonly error: IoError; readonly endpoint: Endpoint | undefined }
  | { readonly kind: "resolve"; readonly id: number; readonly name: string }
  /** Finished lines of the access log, one or more. */
  | { readonly kind: "log"; readonly lines: string }
  /** Connections that have ended, one or more. */
  | { readonly kind: "records"; readonly records: readonly ConnectionRecord[] }
  /** Connections that have ended since it last said so. */
  | { readonly kind: "counts"; readonly counts: ConnectionCounts }
  /** What it has counted since it last said so. */
  | { readonly kind: "metrics"; readonly delta: MetricsDelta }
  /** Tell another worker that a connection of its own is next. */
  | { readonly kind: "freed"; readonly upstream: number; readonly worker: number }
  /** Tell the others that `limits.connections` has room again. */
  | { readonly kind: "room" }
  | { readonly kind: "warn"; readonly message: string }
  | { readonly kind: "answer"; readonly id: number; readonly answer: WorkerAnswers[WorkerQuestion["kind"]] }
  /** How many connections are open, told when that has changed. */
  | { readonly kind: "open"; readonly connections: number }
  /** It accepts no more, and so many connections are left. */
  | { readonly kind: "draining"; readonly connections: number }
  | { readonly kind: "drained" }
  | { readonly kind: "pong"; readonly number: number };
