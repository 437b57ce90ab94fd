/**
 * The HTTP request of a check and the reading of its answer's status: RFC 9112 §3, §4.
 *
 * Owns: both, within bounds: of what a server says, at most a few kilobytes are looked at, and nothing is kept.
 */

import { Writer } from "../bytes.ts";
import type { HealthRequest } from "../config/health_config.ts";
import { FinalStatus } from "../http/final_status.ts";
import type { ProbeExchange } from "../probe.ts";

/** Bytes until the status of a final answer must have come, interim ones included. */
const MOST_BYTES = 16_384;

export class HttpExchange implements ProbeExchange {
  readonly send: Uint8Array;
  readonly #expect: HealthRequest["expect"];
  readonly #status = new FinalStatus();
  #bytes = 0;

  /** @param host for the Host field. */
  constructor({ method, path, expect }: HealthRequest, host: string) {
    this.#expect = expect;
    this.send = new Writer()
      .ascii(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: certless\r\nConnection: close\r\n\r\n`)
      .written();
  }

  received(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    return this.#status.read(bytes) !== 0 || this.#bytes >= MOST_BYTES;
  }

  /** Why the answer is not what it should be; undefined where it is. */
  get fault(): string | undefined {
    const { status } = this.#status;
    const { from, to } = this.#expect;
    if (status === 0) return "no final status came";
    if (status < 0) return "the answer is not HTTP/1";
    if (status >= from && status <= to) return undefined;
    return `status ${status}, expected ${from === to ? from : `${from}-${to}`}`;
  }
}
