/**
 * This machine's clock beside a server's: the Date field of an HTTP answer (RFC 9110 §6.6.1).
 *
 * Owns: asking for it over TLS, on a connection of certless' own, and comparing. A server that is none of HTTP's says
 * nothing about the clock.
 */

import type { Clock } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import { latin1, latin1Bytes } from "../bytes.ts";
import type { ProbeExchange, StartProbe } from "../probe.ts";
import { type Finding, finding } from "./finding.ts";

/** Bytes of an answer that are looked at. */
const MOST_BYTES = 8_192;
/** Milliseconds for the answer: who has none is no server of HTTP's. */
const TIMEOUT = 2_000;
/** Milliseconds that two clocks may differ by: certificates are judged by days, logs are read by minutes. */
const TOLERANCE = 60_000;

/** The time that an HTTP answer says, in milliseconds since the epoch; undefined where it says none. */
export class DateExchange implements ProbeExchange {
  readonly send: Uint8Array;
  date: number | undefined;
  #head = "";

  /** @param host canonical. */
  constructor(host: string) {
    this.send = latin1Bytes(`HEAD / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: certless\r\nConnection: close\r\n\r\n`);
  }

  received(bytes: Uint8Array): boolean {
    this.#head += latin1(bytes, 0, Math.min(bytes.length, MOST_BYTES - this.#head.length));
    const found = DATE.exec(this.#head);
    // RFC 9110 §5.6.7: a fixed form, in GMT; the obsolete ones are left alone.
    if (found !== null) this.date = Date.parse(found[1] as string);
    return found !== null || this.#head.length >= MOST_BYTES || this.#head.includes("\r\n\r\n");
  }
}

const DATE = /\r\ndate:[ \t]*([A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT)[ \t]*\r\n/i;

/** Nothing where the server cannot be asked, or says no time. */
export async function examineClock(
  { probe, clock }: { readonly probe: StartProbe; readonly clock: Clock },
  name: string,
  endpoint: Endpoint,
): Promise<Finding[]> {
  const exchange = new DateExchange(name);
  await new Promise((done) => probe({ endpoint, timeout: TIMEOUT, tls: { serverName: name }, exchange }, done));
  return clockFindings(name, exchange.date, clock.wallTime());
}

/** @param now milliseconds since the epoch, here. */
export function clockFindings(name: string, date: number | undefined, now: number): Finding[] {
  if (date === undefined || !Number.isFinite(date)) return [];
  const ahead = Math.round((now - date) / 1000);
  const seen = `it is ${iso(now)} here, and ${iso(date)} by the server's Date field`;
  if (Math.abs(now - date) <= TOLERANCE) return [finding("clock_agrees", name, seen)];
  return [
    finding("clock", name, `${seen}: ${Math.abs(ahead)} s ${ahead > 0 ? "ahead" : "behind"}, or it is the server's`),
  ];
}

function iso(time: number): string {
  return new Date(time).toISOString().slice(0, 19).concat("Z");
}
