/**
 * One name asked of several DNS servers: who is asked when, and which answer counts.
 *
 * Owns: repeats (UDP loses), the next server when one is silent or fails, the deadline. It must not cache.
 */

import { randomInt } from "node:crypto";
import { type DnsAnswer, type Question, readDnsAnswer } from "../../src/dns/dns_answer.ts";
import { encodeQuery, type QuestionType } from "../../src/dns/dns_query.ts";
import { DnsChannel, type DnsServerAddress } from "./dns_channel.ts";

/** Milliseconds until the next server is asked, or the same one again; less where the deadline is near. */
const REPEAT = 1000;

const NOTHING = new Uint8Array(0);
const BAD_RESPONSE: FinalAnswer = { kind: "failed", code: "EBADRESP" };

export type FinalAnswer = Exclude<DnsAnswer, { kind: "truncated" }>;

export interface DnsLookupOptions {
  readonly servers: readonly DnsServerAddress[];
  /** Milliseconds for all. */
  readonly timeout: number;
  /** Called once for each type. */
  readonly answered: (type: QuestionType, answer: FinalAnswer) => void;
  /** Called when all types are answered; `server` is who gave the last answer, if any did. */
  readonly done: (server: DnsServerAddress | undefined) => void;
}

/** A question under way. */
interface Asked extends Question {
  readonly query: Uint8Array;
  /** Servers that cannot answer it. */
  readonly failed: Set<DnsServerAddress>;
  /** Servers that are asked over TCP. */
  readonly streams: Set<DnsServerAddress>;
  /** The last one's failure. */
  code: string;
}

export class DnsLookup {
  readonly #options: DnsLookupOptions;
  readonly #open = new Map<QuestionType, Asked>();
  readonly #channels = new Map<DnsServerAddress, DnsChannel>();
  readonly #deadline: ReturnType<typeof setTimeout>;
  #repeat: ReturnType<typeof setTimeout> | undefined;
  /** The name fits into a question. */
  #canAsk = false;
  #turn = 0;
  #answeredBy: DnsServerAddress | undefined;

  constructor(name: string, types: readonly QuestionType[], options: DnsLookupOptions) {
    this.#options = options;
    this.#deadline = setTimeout(() => this.end("ETIMEOUT"), options.timeout);
    for (const type of types) {
      const id = randomInt(0x10000);
      const query = encodeQuery(id, name, type);
      this.#canAsk = query !== undefined;
      this.#open.set(type, {
        id,
        name,
        type,
        query: query ?? NOTHING,
        failed: new Set(),
        streams: new Set(),
        code: "ETIMEOUT",
      });
    }
  }

  /** Sends the first questions; nothing is answered before. */
  start(): void {
    if (this.#canAsk) this.#ask();
    else this.end("EBADNAME");
  }

  /** Ends what is not answered yet. */
  end(code: string): void {
    for (const asked of [...this.#open.values()]) this.#settle(asked, { kind: "failed", code });
    this.#close();
  }

  #ask(): void {
    clearTimeout(this.#repeat);
    const { servers, timeout } = this.#options;
    const server = servers[this.#turn++ % servers.length]!;
    let asks = false;
    for (const asked of this.#open.values()) {
      if (asked.failed.has(server)) continue;
      asks = true;
      if (!asked.streams.has(server)) this.#channel(server).send(asked.query);
    }
    if (!asks) this.#ask();
    else this.#repeat = setTimeout(() => this.#ask(), Math.max(50, Math.min(REPEAT, timeout / (2 * servers.length))));
  }

  #channel(server: DnsServerAddress): DnsChannel {
    const open = this.#channels.get(server);
    if (open !== undefined) return open;
    const channel = new DnsChannel(server, {
      received: (message) => this.#received(server, channel, message),
      broken: (code) => {
        for (const asked of [...this.#open.values()]) this.#failed(asked, server, code);
      },
    });
    this.#channels.set(server, channel);
    return channel;
  }

  #received(server: DnsServerAddress, channel: DnsChannel, message: Uint8Array): void {
    for (const asked of this.#open.values()) {
      const answer = readDnsAnswer(message, asked);
      if (answer === undefined) continue;
      if (answer.kind === "truncated") this.#askByStream(asked, server, channel);
      else this.#answered(asked, server, answer);
      return;
    }
  }

  #answered(asked: Asked, server: DnsServerAddress, answer: FinalAnswer): void {
    if (answer.kind === "failed") {
      this.#failed(asked, server, answer.code);
      return;
    }
    this.#answeredBy = server;
    this.#settle(asked, answer);
  }

  #askByStream(asked: Asked, server: DnsServerAddress, channel: DnsChannel): void {
    if (asked.streams.has(server)) return;
    asked.streams.add(server);
    channel.sendByStream(asked.query, {
      received: (message) => {
        const answer = readDnsAnswer(message, asked);
        // A stream brings one answer: there is no other to wait for.
        const isWhole = answer !== undefined && answer.kind !== "truncated";
        this.#answered(asked, server, isWhole ? answer : BAD_RESPONSE);
      },
      broken: (code) => this.#failed(asked, server, code),
    });
  }

  /** The next server at once; when none is left, that is the answer. */
  #failed(asked: Asked, server: DnsServerAddress, code: string): void {
    if (asked.failed.has(server) || !this.#open.has(asked.type)) return;
    asked.failed.add(server);
    asked.code = code;
    if (asked.failed.size >= this.#options.servers.length) this.#settle(asked, { kind: "failed", code });
    else if ([...this.#open.values()].every((other) => other.failed.has(server))) this.#ask();
  }

  #settle(asked: Asked, answer: FinalAnswer): void {
    if (!this.#open.delete(asked.type)) return;
    this.#options.answered(asked.type, answer);
    if (this.#open.size > 0) return;
    this.#close();
    this.#options.done(this.#answeredBy);
  }

  #close(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#repeat);
    for (const channel of this.#channels.values()) channel.close();
  }
}
