/**
 * The proxy's access log as a test sees it: lines and, in JSON, records.
 *
 * Owns: waiting for them. It must not take a broken line for none.
 */

import { type Changes, DEADLINE } from "./waiting.ts";

/** One line of the JSON format. */
export interface LogRecord {
  readonly time: string;
  readonly client: string;
  readonly peer?: string;
  readonly listener: string;
  readonly protocol: string;
  readonly serverName?: string;
  readonly alpn?: readonly string[];
  readonly ech?: boolean;
  readonly route?: string;
  readonly upstream?: readonly string[];
  readonly connectTime?: number;
  readonly uniqueId?: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly duration: number;
  readonly reason: string;
  readonly wouldReject?: string;
  readonly detail?: string;
}

export class AccessLog {
  readonly lines: string[] = [];
  readonly records: LogRecord[] = [];
  readonly changes: Changes;
  readonly #json: boolean;
  #partial = "";

  constructor(json: boolean, changes: Changes) {
    this.#json = json;
    this.changes = changes;
  }

  /** @throws {Error} for a line that is not JSON, where it has to be. */
  add(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) {
      this.lines.push(line);
      if (this.#json) this.records.push(parse(line));
    }
    this.changes.notify();
  }

  /** Anything behind the last newline. */
  get partial(): string {
    return this.#partial;
  }

  /** Forgets a line that was looked at: a long test would keep too many. */
  forget(record: LogRecord): void {
    const index = this.records.indexOf(record);
    this.records.splice(index, 1);
    this.lines.splice(index, 1);
  }

  /** The records of one client, by its own endpoint (`Peer.local`). */
  recordsOf(client: { readonly local: string } | string): LogRecord[] {
    const local = typeof client === "string" ? client : client.local;
    return this.records.filter((record) => (record.peer ?? record.client) === local);
  }
}

function parse(line: string): LogRecord {
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    throw new Error(`the access log has a line that is not JSON: ${JSON.stringify(line)}`);
  }
}

/** What a test may wait for in the log. */
export class LogWaiting {
  readonly log: AccessLog;
  /** Throws where nothing more can come. */
  readonly #check: () => void;

  constructor(log: AccessLog, check: () => void) {
    this.log = log;
    this.#check = check;
  }

  waitForRecord(predicate: (record: LogRecord) => boolean, what: string, deadline = DEADLINE): Promise<LogRecord> {
    return this.log.changes.until(
      () =>
        `a log record ${what}; the last of ${this.log.records.length}: ${JSON.stringify(this.log.records.slice(-3))}`,
      () => this.#found(this.log.records.find(predicate)),
      deadline,
    );
  }

  waitForLine(text: string, deadline = DEADLINE): Promise<string> {
    return this.log.changes.until(
      () => `a log line with ${JSON.stringify(text)}; the last ones: ${this.log.lines.slice(-3).join("\n")}`,
      () => this.#found(this.log.lines.find((line) => line.includes(text))),
      deadline,
    );
  }

  async waitForCount(count: number, deadline = DEADLINE): Promise<void> {
    await this.log.changes.until(
      () => `${count} log lines; there are ${this.log.lines.length}`,
      () => this.#found(this.log.lines.length >= count ? true : undefined),
      deadline,
    );
  }

  #found<T>(value: T | undefined): T | undefined {
    if (value === undefined) this.#check();
    return value;
  }
}
