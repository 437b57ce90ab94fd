/**
 * Log lines to a descriptor: buffered, bounded, in order.
 *
 * Owns: the queue between the writers of lines and a slow target. It must not block the event loop, keep the process
 * alive, or fail: what cannot be written in time is counted.
 *
 * Lines wait as one text, so that a line costs no object; one write is under way at a time.
 */

import { close, constants, fstatSync, openSync, write } from "node:fs";
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import type { LogSink, LogTarget } from "../../src/host.ts";
import { runtimeName } from "../select.ts";
import { toIoError } from "../shared/io_error.ts";
import { writeBlocking } from "./blocking_write.ts";

/** Characters that start a write at once. */
const FULL = 65_536;
/** Milliseconds for which a line may wait for company. */
const LINGER = 100;
/** Characters that may wait while the target is stuck; what comes then is dropped. */
const MAX_WAITING = 16 * 1024 * 1024;
/** Milliseconds until a target that could take nothing (`EAGAIN`) is tried again. */
const RETRY = 10;

/** Milliseconds for which closing waits for a target that takes nothing. */
const PATIENCE = 2000;

/** Those whose lines are written when the process exits without closing them. */
const open = new Set<DescriptorSink>();
let hooked = false;

class DescriptorSink implements LogSink {
  dropped = 0;
  #descriptor: number;
  /** Set for a file. */
  readonly #path: string | undefined;
  #waiting = "";
  #waitingLines = 0;
  /** Lines of the write under way, else 0. */
  #writing = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Set while a target that took nothing is left alone; `untaken` is what it is to get next. */
  #retry: NodeJS.Timeout | undefined;
  #untaken: Uint8Array = new Uint8Array(0);
  #closed = false;
  /** How many of `dropped` the log itself tells of. */
  #told = 0;
  #watchers: (() => void)[] = [];

  readonly #warn: (message: string) => void;
  /** The last write failed, and that was told. */
  #failing = false;

  constructor(descriptor: number, path: string | undefined, warn: (message: string) => void) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#warn = warn;
    open.add(this);
  }

  write(line: string): void {
    if (this.#closed || this.#waiting.length + line.length > MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#tellDropped(line);
    this.#waiting += `${line}\n`;
    this.#waitingLines++;
    if (this.#writing > 0) return;
    if (this.#waiting.length >= FULL) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), LINGER).unref();
  }

  reopen(): void {
    if (this.#path === undefined || this.#closed) return;
    const former = this.#descriptor;
    try {
      this.#descriptor = openSync(this.#path, "a");
    } catch (error) {
      // The former file goes on being written: better there than nowhere.
      this.#warn(
        `Cannot open the log ${this.#path} anew: ${toIoError(error).message}; the former file is still written`,
      );
      return;
    }
    if (this.#writing === 0) close(former, () => {});
    else this.#watchers.push(() => close(former, () => {}));
  }

  async flush(): Promise<void> {
    // What waits now is the second write at most: one may be under way.
    for (let i = 0; i < 2 && (this.#writing > 0 || this.#waiting !== ""); i++) {
      await new Promise<void>((resolve) => {
        this.#watchers.push(resolve);
        this.#retry?.ref();
        this.#start();
      });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const flushed = await Promise.race([this.flush().then(() => true), patience()]);
    open.delete(this);
    if (flushed && this.#path !== undefined)
      await new Promise<void>((resolve) => close(this.#descriptor, () => resolve()));
  }

  /** At exit nothing asynchronous happens any more. */
  writeNow(): void {
    if (this.#retry !== undefined) writeBlocking(this.#descriptor, this.#untaken);
    writeBlocking(this.#descriptor, Buffer.from(this.#waiting));
    this.#waiting = "";
  }

  /** The target takes lines again after some were dropped: the log says so, once; a log of objects by an object. */
  #tellDropped(line: string): void {
    const lost = this.dropped - this.#told;
    if (lost === 0) return;
    this.#told = this.dropped;
    const warning = `${lost} log lines were dropped: the log could not be written in time`;
    this.#waiting += line.startsWith("{") ? `{"level":"warn","message":"${warning}"}\n` : `warning: ${warning}\n`;
  }

  #start(): void {
    if (this.#writing > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = Buffer.from(this.#waiting);
    this.#writing = Math.max(this.#waitingLines, 1);
    this.#waiting = "";
    this.#waitingLines = 0;
    this.#continue(this.#descriptor, bytes);
  }

  #continue(descriptor: number, bytes: Uint8Array): void {
    if (bytes.length === 0) {
      this.#finish();
      return;
    }
    write(descriptor, bytes, 0, bytes.length, null, (error, count) => {
      if (error === null || error === undefined) {
        this.#failing = false;
        this.#continue(descriptor, bytes.subarray(count));
      } else if (error.code === "EAGAIN" || error.code === "EINTR") {
        this.#tryLater(descriptor, bytes);
      } else {
        this.dropped += this.#writing;
        this.#tellFailure(toIoError(error).message);
        this.#finish();
      }
    });
  }

  #tellFailure(reason: string): void {
    if (!this.#failing)
      this.#warn(`Cannot write the log ${this.#path ?? ""}: ${reason}; lines are lost until it works again`);
    this.#failing = true;
  }

  #tryLater(descriptor: number, bytes: Uint8Array): void {
    this.#untaken = bytes;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#continue(descriptor, bytes);
    }, RETRY);
    if (this.#watchers.length === 0) this.#retry.unref();
  }

  #finish(): void {
    this.#writing = 0;
    for (const tell of this.#watchers.splice(0)) tell();
    if (this.#waiting.length >= FULL) this.#start();
    else if (this.#waiting !== "" && this.#writing === 0) {
      this.#timer ??= setTimeout(() => this.#start(), LINGER).unref();
    }
  }
}

function patience(): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), PATIENCE).unref();
  });
}

function hookExit(): void {
  if (hooked) return;
  hooked = true;
  process.on("exit", () => {
    for (const sink of open) sink.writeNow();
  });
}

/**
 * A pipe that was inherited is opened anew, not to block: a reader that takes nothing would otherwise hold a thread in
 * `write`, and with it the end of the process. The inherited description, which others may share, is left as it is.
 */
function ownDescription(descriptor: number): number {
  try {
    // Deno's asynchronous write spins on a description that does not block.
    if (runtimeName() === "deno" || !fstatSync(descriptor).isFIFO()) return descriptor;
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return descriptor;
  }
}

/**
 * Opens `stdout`, `stderr`, or a file to append to.
 * @throws {IoError} when the file cannot be opened.
 */
export function openLog(target: LogTarget, warn: (message: string) => void): LogSink {
  hookExit();
  if (target === "stdout") return new DescriptorSink(ownDescription(1), undefined, warn);
  if (target === "stderr") return new DescriptorSink(ownDescription(2), undefined, warn);
  try {
    return new DescriptorSink(openSync(target, "a"), target, warn);
  } catch (error) {
    throw toIoError(error);
  }
}
