/** What a proxy runs on. Types only. */

import type { Adapter } from "../adapter.ts";
import type { ReloadOutcome } from "../admin/api.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { Host } from "../host.ts";
import type { Inheritance } from "../service/inherited_sockets.ts";

/** An adapter that this thread cannot use itself, but workers can. */
export type WorkerAdapter = Pick<Adapter, "name" | "capabilities">;

export interface ProxyEnvironment {
  readonly adapter: Adapter;
  /** An adapter that needs a thread of its own: then all connections are carried by workers. */
  readonly workerAdapter?: WorkerAdapter | undefined;
  readonly host: Host;
  /** Counts all that `RunningProxy.metrics` tells; absent: it is undefined, and only reason codes are counted. */
  readonly metrics?: boolean;
  /** Listening sockets that another process has opened; they are used in place of new ones. */
  readonly inheritance?: Inheritance | undefined;
  /** Called once for each connection when it has ended, beside the access log. */
  readonly finished?: (record: ConnectionRecord) => void;
  /** Called after each reload, whoever asked for it: a caller, or a file that has changed. */
  readonly reloaded?: (outcome: ReloadOutcome) => void;
  /** Called when an operator asks by the admin interface for a stop; absent: that is not granted. */
  readonly drain?: () => void;
}
