/**
 * What the control plane knows of a worker, and what it waits for.
 *
 * Owns: nothing but the shape; the control plane decides.
 */

import type { Endpoint } from "../address.ts";
import type { IoError } from "../errors.ts";
import type { WorkerThread } from "../host.ts";
import { ListenError } from "../proxy/listen_error.ts";
import type { ToWorker } from "./protocol.ts";

/** A worker as the control plane knows it. */
export interface Worker {
  readonly index: number;
  thread: WorkerThread<ToWorker> | undefined;
  /** Its first start; nobody waits for a replacement's. */
  readonly firstStart: Deferred;
  hasServed: boolean;
  /** That it has said how much it has to drain, or is gone. */
  draining: Deferred;
  /** That it has drained, or is gone. */
  ended: Deferred;
  open: number;
  /** The last `ping` that it has answered; infinite while it starts. */
  answered: number;
  /** When it last ended unasked, milliseconds since the epoch. */
  lostAt: number | undefined;
  /** Which of the cycles it was told last. */
  cycle: number;
  /** That it has taken the latest one. */
  reloading: Deferred | undefined;
  /** Starts in a row that did not last. */
  failures: number;
  startedAt: number;
}

/** How a thread that carries connections is, for whoever asks. */
export interface ThreadState {
  /** From 1. */
  readonly worker: number;
  readonly open: number;
  /** When the one before it ended unasked, milliseconds since the epoch; undefined: none did. */
  readonly lostAt: number | undefined;
}

export function threadState({ index, open, lostAt }: Worker): ThreadState {
  return { worker: index + 1, open, lostAt };
}

/** A promise with its two ends. */
export class Deferred {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (reason: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}

/** Nobody need wait for it any more. */
export function settle({ draining, ended }: Worker): void {
  draining.resolve();
  ended.resolve();
}

/** One that has no thread yet. */
export function newWorker(index: number): Worker {
  return {
    index,
    thread: undefined,
    firstStart: new Deferred(),
    hasServed: false,
    draining: new Deferred(),
    ended: new Deferred(),
    open: 0,
    answered: 0,
    lostAt: undefined,
    cycle: 0,
    reloading: undefined,
    failures: 0,
    startedAt: 0,
  };
}

/** What a worker said as an error: `endpoint` where a listener is the cause. */
export function reasonOf({
  error,
  endpoint,
}: {
  readonly error: IoError;
  readonly endpoint: Endpoint | undefined;
}): Error {
  return endpoint === undefined ? new Error(error.message) : new ListenError(endpoint, error);
}
