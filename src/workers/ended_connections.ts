/**
 * The latest connections of one thread that have ended.
 *
 * Owns: a bounded ring of their records. It must cost next to nothing for each of them: what is shown is made when asked for.
 */

import { formatEndpoint } from "../address.ts";
import type { LogLine } from "../admin/api.ts";
import { attemptText, type ConnectionRecord } from "../connection_record.ts";
import type { LogFilter } from "./worker_question.ts";

/** Records that are kept. */
export const MOST_ENDED = 1_000;

export class EndedConnections {
  readonly #records: ConnectionRecord[] = [];
  /** Where the next one goes. */
  #next = 0;

  add(record: ConnectionRecord): void {
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % MOST_ENDED;
  }

  clear(): void {
    this.#records.length = 0;
    this.#next = 0;
  }

  /** The latest first. */
  lines({ reason, name }: LogFilter, limit: number): LogLine[] {
    const lines: LogLine[] = [];
    const count = this.#records.length;
    for (let back = 1; back <= count && lines.length < limit; back++) {
      const record = this.#records[(this.#next - back + count) % count] as ConnectionRecord;
      if (reason !== undefined && record.reason !== reason) continue;
      if (name !== undefined && !(record.serverName ?? "").includes(name)) continue;
      lines.push(lineOf(record));
    }
    return lines;
  }
}

function lineOf(record: ConnectionRecord): LogLine {
  return {
    id: record.id,
    acceptedAt: record.acceptedAt,
    duration: record.duration,
    client: formatEndpoint(record.client),
    listener: record.listener,
    serverName: record.serverName,
    route: record.route,
    attempts: record.attempts.map(attemptText),
    reason: record.reason,
    detail: record.detail,
    received: record.bytesReceived,
    sent: record.bytesSent,
  };
}
