/**
 * What the admin interface answers: the JSON of each path under `/api/v1/`. Types only.
 *
 * Times are milliseconds since the Unix epoch, durations milliseconds, sizes bytes. Texts that came from the wire are
 * raw here: whoever shows them escapes them. OpenAPI's description is held against these answers by a test.
 */

import type { ConfigError } from "../config/fault.ts";
import type { UpstreamStatus } from "../health/status.ts";
import type { Reason } from "../reason.ts";

/** `GET status`. */
export interface StatusAnswer {
  readonly version: string;
  readonly runtime: string;
  readonly adapter: string;
  readonly startedAt: number;
  readonly now: number;
  readonly state: "running" | "draining";
  readonly workers: readonly WorkerAnswer[];
  readonly configuration: ConfigurationState;
  readonly listeners: readonly ListenerAnswer[];
  readonly connections: { readonly open: number; readonly limit: number; readonly accepted: number };
  /** Both include what open connections have moved so far. */
  readonly bytes: BytesAnswer;
  /** By reason code, most frequent first; those that did not occur are left out. */
  readonly endings: readonly EndingAnswer[];
  /** What an operator should look at, the worst first; empty: all is well. */
  readonly findings: readonly FindingAnswer[];
  readonly memory: { readonly resident: number };
  readonly descriptors: { readonly open: number | undefined; readonly limit: number | undefined };
}

export interface BytesAnswer {
  /** From clients. */
  readonly received: number;
  /** To clients. */
  readonly sent: number;
}

export interface WorkerAnswer {
  /** From 1. */
  readonly worker: number;
  readonly open: number;
  /** How late the worker's event loop was at worst since it was last asked. */
  readonly lag: number;
}

export interface ConfigurationState {
  /** The file; undefined: it was given by a program. */
  readonly path: string | undefined;
  /** When the one in force was read. */
  readonly loadedAt: number;
  /** Reloads that took effect since the start. */
  readonly reloads: number;
  readonly lastReload: ReloadOutcome | undefined;
}

export interface ListenerAnswer {
  readonly address: string;
  readonly protocol: string;
  readonly open: number;
  readonly accepted: number;
}

export interface EndingAnswer {
  readonly reason: Reason;
  readonly count: number;
  /** Those of them that ended in the last hour. */
  readonly lastHour: number;
  readonly meaning: string;
  /** What an operator can do about it; absent where there is nothing to do. */
  readonly remedy: string | undefined;
  /** It was the proxy that turned the client away. */
  readonly isRejection: boolean;
}

export interface FindingAnswer {
  readonly level: "attention" | "trouble";
  readonly what: string;
  readonly remedy: string;
}

/** `POST reload`: 200 where it took effect, 422 where the new configuration has faults and the old one stays. */
export interface ReloadOutcome {
  readonly ok: boolean;
  readonly at: number;
  /** From the first byte read until every worker uses it. */
  readonly duration: number;
  /** What is different now, one line each. */
  readonly changes: readonly string[];
  /** Why it was refused: faults of the file, each with its place. */
  readonly errors: readonly ConfigError[];
  /** Why it was refused, where no place in the file is to blame (a port in use, a secret that cannot be read); else empty. */
  readonly reason: string;
  readonly warnings: readonly string[];
}

/** `GET history`: the last hour, oldest first. */
export interface HistoryAnswer {
  /** Milliseconds between two samples. */
  readonly interval: number;
  readonly samples: readonly HistorySample[];
}

/** What happened in one interval; `open` is a state, at its end. */
export interface HistorySample {
  readonly at: number;
  readonly open: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly received: number;
  readonly sent: number;
}

/** `GET names?limit=N`: server names by bytes, the busiest first. */
export interface NamesAnswer {
  readonly names: readonly NameTraffic[];
  /** Names are counted up to a limit; what is beyond it. */
  readonly others: Omit<NameTraffic, "name">;
}

export interface NameTraffic {
  readonly name: string;
  readonly connections: number;
  readonly rejected: number;
  readonly received: number;
  readonly sent: number;
}

/** `GET upstreams`. */
export interface UpstreamsAnswer {
  readonly upstreams: readonly UpstreamStatus[];
}

/** `GET routes?query=TEXT&offset=N&limit=N`. */
export interface RoutesAnswer {
  readonly total: number;
  readonly routes: readonly RouteAnswer[];
}

export interface RouteAnswer {
  /** The pattern, as written. */
  readonly route: string;
  /** The listener whose own route it is; undefined: of all that have none of their own. */
  readonly listener: string | undefined;
  readonly to: string;
  /** Line of the file; 0 if there is none. */
  readonly line: number;
  readonly connections: number;
  readonly rejected: number;
  readonly received: number;
  readonly sent: number;
}

/** `GET route?name=NAME&port=N&client=IP`: the same as `certless route NAME`. */
export interface ExplainAnswer {
  readonly name: string;
  readonly listeners: readonly ListenerExplanation[];
}

export interface ListenerExplanation {
  readonly listener: string;
  readonly protocol: string;
  readonly isForwarded: boolean;
  /** The rule and the way, one line each, as `certless route` prints them. */
  readonly lines: readonly string[];
}

/** `GET connections?name=&route=&upstream=&server=&client=&listener=&offset=N&limit=N`: open ones, newest first. */
export interface ConnectionsAnswer {
  /** That match. */
  readonly total: number;
  readonly connections: readonly ConnectionAnswer[];
}

export interface ConnectionAnswer {
  readonly id: number;
  readonly state: "preread" | "connecting" | "relaying" | "closing";
  readonly acceptedAt: number;
  readonly client: string;
  readonly listener: string;
  readonly protocol: string;
  readonly serverName: string | undefined;
  readonly route: string | undefined;
  readonly upstream: string | undefined;
  /** The server's address. */
  readonly server: string | undefined;
  readonly received: number;
  readonly sent: number;
}

/** `GET log?limit=N&reason=CODE&name=TEXT`: the latest connections that have ended, newest first. */
export interface LogAnswer {
  readonly lines: readonly LogLine[];
}

export interface LogLine {
  readonly id: number;
  readonly acceptedAt: number;
  readonly duration: number;
  readonly client: string;
  readonly listener: string;
  readonly serverName: string | undefined;
  readonly route: string | undefined;
  /** The servers that were tried, each with why it failed. */
  readonly attempts: readonly string[];
  readonly reason: Reason;
  readonly detail: string;
  readonly received: number;
  readonly sent: number;
}

/** `GET configuration`: as it is in force, with every default; routes are told by `routes`. */
export interface ConfigurationAnswer extends ConfigurationState {
  readonly text: string;
}

/** `POST drain`, `POST servers`, `POST close`: what was done. */
export interface ActionAnswer {
  readonly done: string;
}

/** Body of `POST servers`. */
export interface ServerAction {
  readonly upstream: string;
  /** As `upstreams` tells it. */
  readonly address: string;
  readonly state: "up" | "down";
}

/** Body of `POST close`. */
export interface CloseAction {
  readonly id: number;
}

/** Every answer with a status of 400 and above. */
export interface ErrorAnswer {
  /** A fixed word. */
  readonly code: string;
  /** `Cannot <do> <thing>: <reason>`. */
  readonly message: string;
}
