/**
 * The access log of a running proxy, whichever configuration is in force.
 *
 * Owns: which sink lines go to, and the end of the former one. It must not format what workers have formatted.
 */

import type { AccessLogConfig, LogConfig } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { IoError } from "../errors.ts";
import type { Host, LogSink } from "../host.ts";
import { compileLineFormat } from "../log/access_log.ts";
import { StartError } from "../start_error.ts";

/** A log that could be used: its target is open. */
interface Opened {
  readonly config: AccessLogConfig | undefined;
  readonly sink: LogSink | undefined;
}

export class AccessLog {
  readonly #host: Pick<Host, "openLog">;
  readonly #warn: (message: string) => void;
  #formerDropped = 0;
  #opened: Opened = { config: undefined, sink: undefined };
  #format: ((record: ConnectionRecord) => string) | undefined;

  constructor(host: Pick<Host, "openLog">, warn: (message: string) => void) {
    this.#host = host;
    this.#warn = warn;
  }

  /** Opens what `log` asks for, and returns how to use it or let it go. @throws {StartError} */
  prepare({ access }: LogConfig): { use(): void; release(): void } {
    const former = this.#opened;
    const sink = access?.path === former.config?.path ? former.sink : access && this.#open(access.path);
    const release = (): void => {
      if (sink !== former.sink) void sink?.close();
    };
    return { use: () => this.#use({ config: access, sink }), release };
  }

  /** A connection has ended, in this thread. */
  record(record: ConnectionRecord): void {
    if (this.#format !== undefined) this.#opened.sink?.write(this.#format(record));
  }

  /** Lines of workers. */
  write(lines: string): void {
    this.#opened.sink?.write(lines);
  }

  /** Lines that targets could not take in time. */
  get dropped(): number {
    return this.#formerDropped + (this.#opened.sink?.dropped ?? 0);
  }

  reopen(): void {
    this.#opened.sink?.reopen();
  }

  async close(): Promise<void> {
    await this.#opened.sink?.close();
  }

  #use(opened: Opened): void {
    const former = this.#opened.sink;
    if (former !== opened.sink) this.#formerDropped += former?.dropped ?? 0;
    this.#opened = opened;
    this.#format = opened.config && compileLineFormat(opened.config.format);
    if (former !== opened.sink) void former?.close();
  }

  #open(path: string): LogSink {
    try {
      return this.#host.openLog(path, this.#warn);
    } catch (error) {
      const { code, message } = error as IoError;
      throw new StartError(`Cannot open the access log ${path}: ${message || code}`);
    }
  }
}
