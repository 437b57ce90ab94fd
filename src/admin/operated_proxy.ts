/**
 * A running proxy as the admin interface sees it: what it may look at, and what it may do. Types only.
 */

import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { UpstreamStatus } from "../health/status.ts";
import type { ConnectionCounts } from "../metrics/counts.ts";
import type { ThreadState } from "../workers/control_worker.ts";
import type { Asked } from "../workers/questions.ts";
import type { ConfigurationState, ReloadOutcome } from "./api.ts";
import type { Numbers } from "./numbers.ts";

export interface OperatedProxy {
  readonly version: string;
  /** `node 26.10.0`. */
  readonly runtime: string;
  readonly adapter: string;
  readonly startedAt: number;
  /** Now, milliseconds since the epoch. */
  readonly now: number;
  readonly state: "running" | "draining";
  readonly config: Config;
  readonly configuration: ConfigurationState;
  /** Where it listens, in the order of the configuration. */
  readonly endpoints: readonly Endpoint[];
  readonly upstreams: readonly UpstreamStatus[];
  readonly threads: readonly ThreadState[];
  readonly openConnections: number;
  readonly connectionLimit: number;
  readonly counts: ConnectionCounts;
  /** Lines of the access log that were lost. */
  readonly droppedLines: number;
  /** The soft limit of descriptors, if it is known. */
  readonly descriptorLimit: number | undefined;
  /** Absent where nobody counts. */
  readonly numbers: Numbers | undefined;
  /** Asks those who carry connections. */
  readonly ask: Asked;
  toAscii(name: string): string;
  /** Lets other work go on. */
  breathe(): Promise<void>;
  /** Calls `late` after so many milliseconds; returns how to prevent it. */
  after(milliseconds: number, late: () => void): () => void;
  /** Absent where it cannot. */
  readonly reload: (() => Promise<ReloadOutcome>) | undefined;
  /** Stops accepting and ends when connections have; absent where the program that runs it does not let it. */
  readonly drain: (() => void) | undefined;
  /** False: there is no such server. */
  switchServer(upstream: string, address: string, isIn: boolean): boolean;
}
