/**
 * Pipes for `splice(2)`, kept for reuse.
 *
 * Owns: the free list. A pipe is out only while bytes are in it, so an idle relay holds none. One that still holds
 * bytes must never come back: the next relay would send them.
 */

import { EINVAL, ENOSYS, EPERM, F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK } from "./constants.ts";
import type { Libc, NativeBuffer } from "./ffi.ts";
import type { Timers } from "./timers.ts";

/** Errors of a system that knows no `splice` between sockets and pipes: a sandbox, a kernel that emulates Linux. */
export const CANNOT_SPLICE: readonly number[] = [EINVAL, ENOSYS, EPERM];
/** /proc/sys/fs/pipe-max-size, as it is unless somebody changed it. */
export const PIPE_SIZE = 1024 * 1024;
/** Less is slower than copying: the kernel gives little once a user has many pipes (pipe(7)). */
const LEAST_SIZE = 64 * 1024;
/** Pipes at rest. Their pages are free while they are empty. */
const MOST_FREE = 64;
/** Milliseconds without use until a pipe at rest is closed, and twice that at most. */
const REST = 10_000;
/** After a failure: how many requests are refused before the kernel is asked again. */
const PATIENCE = 1_000;

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
  readonly size: number;
}

export class PipePool {
  readonly #libc: Libc;
  readonly #ends: NativeBuffer;
  readonly #free: Pipe[] = [];
  readonly #timers: Pick<Timers, "after">;
  /** Pipes at rest that nobody needed since the last look. */
  #surplus = 0;
  #cancelLook: (() => void) | undefined;
  #refusing = 0;
  /** Pipes that exist, in use or at rest. */
  open = 0;

  constructor(libc: Libc, timers: Pick<Timers, "after">) {
    this.#libc = libc;
    this.#timers = timers;
    this.#ends = libc.allocate(8);
  }

  get atRest(): number {
    return this.#free.length;
  }

  /** An empty pipe; `undefined` where the system gives none that is worth having: then bytes are copied. */
  take(): Pipe | undefined {
    const pipe = this.#free.pop();
    this.#surplus = Math.min(this.#surplus, this.#free.length);
    if (pipe !== undefined) return pipe;
    if (this.#refusing > 0) {
      this.#refusing--;
      return undefined;
    }
    return this.#make();
  }

  /** This system cannot splice sockets: there are no pipes any more. */
  giveUp(): void {
    this.#refusing = Number.POSITIVE_INFINITY;
    this.close();
  }

  /** Takes back an empty pipe. */
  give(pipe: Pipe): void {
    if (this.#free.length >= MOST_FREE) {
      this.discard(pipe);
      return;
    }
    this.#free.push(pipe);
    this.#cancelLook ??= this.#timers.after(REST, () => this.#look());
  }

  /** Closes what was not needed since the last look. */
  #look(): void {
    for (const pipe of this.#free.splice(0, this.#surplus)) this.discard(pipe);
    this.#surplus = this.#free.length;
    this.#cancelLook = this.#surplus === 0 ? undefined : this.#timers.after(REST, () => this.#look());
  }

  /** Closes a pipe, with what is in it. */
  discard(pipe: Pipe): void {
    this.open--;
    this.#libc.close(pipe.readEnd);
    this.#libc.close(pipe.writeEnd);
  }

  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    for (const pipe of this.#free.splice(0)) this.discard(pipe);
  }

  #make(): Pipe | undefined {
    if (this.#libc.pipe2(this.#ends.address, O_CLOEXEC | O_NONBLOCK) < 0) {
      this.#refusing = PATIENCE;
      return undefined;
    }
    const ends = new Int32Array(this.#ends.bytes.buffer, this.#ends.bytes.byteOffset, 2);
    const [readEnd, writeEnd] = [ends[0] as number, ends[1] as number];
    this.open++;
    let size = this.#libc.fcntl(writeEnd, F_SETPIPE_SZ, PIPE_SIZE);
    // Refused to a user that has many already, or above the system's maximum.
    if (size < 0) size = this.#libc.fcntl(writeEnd, F_SETPIPE_SZ, LEAST_SIZE);
    const pipe = { readEnd, writeEnd, size };
    if (size >= LEAST_SIZE) return pipe;
    this.discard(pipe);
    this.#refusing = PATIENCE;
    return undefined;
  }
}
