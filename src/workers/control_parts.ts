/** What a control plane is made of. Types only. */

import type { Adapter } from "../adapter.ts";
import type { Config } from "../config/config.ts";
import type { Secrets } from "../config/secrets.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { StartWorker } from "../host.ts";
import type { LimitsMemory } from "../limits/limits_memory.ts";
import type { MetricsStore } from "../metrics/metrics_store.ts";
import type { InheritedSockets } from "../service/inherited_sockets.ts";

/** A configuration, and what goes with it in all workers. */
export interface PlaneCycle {
  readonly config: Config;
  /** Open connections of all workers together. */
  readonly connectionLimit: number;
  /** What workers count clients in; undefined where nothing limits clients. */
  readonly limits: LimitsMemory | undefined;
  readonly secrets: Secrets;
}

export interface ControlPlaneParts extends PlaneCycle {
  /** How many workers. */
  readonly count: number;
  /** This thread's, for a first try at the ports and for its clock. */
  readonly adapter: Adapter;
  /** Name of the workers' own. */
  readonly workerAdapter: string;
  /** That adapter can share ports: among workers, and with the next process. */
  readonly reusePort: boolean;
  /** Listening sockets that this process did not open. */
  readonly inherited?: InheritedSockets | undefined;
  readonly ownAddresses: readonly string[];
  readonly startWorker: StartWorker;
  resolve(name: string): Promise<readonly string[]>;
  writeLog(lines: string): void;
  warn(message: string): void;
  /** Merges what workers count; absent where nobody wants it. */
  readonly metrics?: Pick<MetricsStore, "merge" | "lost"> | undefined;
  /** Given each finished connection's record; absent where nobody wants them. */
  readonly finished: ((record: ConnectionRecord) => void) | undefined;
}
