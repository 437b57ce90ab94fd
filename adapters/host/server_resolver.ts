/**
 * Names asked of given DNS servers alone, with their TTLs.
 *
 * Owns: making one answer of two families' (RFC 8305 §3), and which server is asked first: the one that answered
 * last, so that a dead one costs its time once. Own messages, since what `node:dns` tells of TTLs, of negative answers
 * and of failures is not the same on any two runtimes.
 */

import type { QuestionType } from "../../src/dns/dns_query.ts";
import type {
  AddressFamily,
  DnsResolver,
  ResolvedAddresses,
  ResolvedBindings,
  ResolvedServices,
  ResolveFailure,
  ServiceRecord,
} from "../../src/host.ts";
import type { DnsServerAddress } from "./dns_channel.ts";
import { DnsLookup, type FinalAnswer } from "./dns_lookup.ts";

/** Milliseconds for which the second family may lag behind the first (RFC 8305 §3, Resolution Delay). */
const RESOLUTION_DELAY = 50;
/** UDP sockets at once: with TCP for long answers, well below the descriptors that are kept for all but connections. */
const SOCKETS = 64;

const TYPE_OF: Readonly<Record<AddressFamily, QuestionType>> = { ipv4: "A", ipv6: "AAAA" };

export class ServerResolver implements DnsResolver {
  readonly concurrency: number;
  #servers: readonly DnsServerAddress[];
  readonly #timeout: number;
  readonly #types: readonly QuestionType[];
  readonly #lookups = new Set<DnsLookup>();
  #closed = false;

  /** @param families the preferred one first. */
  constructor(servers: readonly DnsServerAddress[], timeout: number, families: readonly AddressFamily[]) {
    this.#servers = servers;
    this.#timeout = timeout;
    this.#types = families.map((family) => TYPE_OF[family]);
    this.concurrency = Math.max(8, Math.floor(SOCKETS / servers.length));
  }

  resolve(name: string, answered: (outcome: ResolvedAddresses | ResolveFailure, more?: "more") => void): void {
    const answers = new Map<QuestionType, FinalAnswer>();
    let delay: ReturnType<typeof setTimeout> | undefined;
    const tell = (more?: "more"): void => {
      clearTimeout(delay);
      answered(merge(name, this.#types, answers), more);
    };
    this.#lookup(name, this.#types, (type, answer) => {
      answers.set(type, answer);
      if (answers.size === this.#types.length) tell();
      else if (answer.kind === "records") delay = setTimeout(() => tell("more"), RESOLUTION_DELAY);
    });
  }

  resolveService(name: string, answered: (outcome: ResolvedServices | ResolveFailure) => void): void {
    this.#lookup(name, ["SRV"], (_, answer) => {
      if (answer.kind !== "records") answered(failure(name, [answer], "service"));
      else answered({ services: answer.services as ServiceRecord[], ttl: answer.ttl * 1000 });
    });
  }

  resolveBindings(name: string, answered: (outcome: ResolvedBindings | ResolveFailure) => void): void {
    this.#lookup(name, ["HTTPS"], (_, answer) => {
      if (answer.kind !== "records") answered(failure(name, [answer], "HTTPS record"));
      else answered({ bindings: answer.bindings ?? [] });
    });
  }

  resolveByDns(name: string, answered: (outcome: ResolvedAddresses | ResolveFailure) => void): void {
    this.resolve(name, (outcome, more) => {
      if (more === undefined) answered(outcome);
    });
  }

  close(): void {
    this.#closed = true;
    for (const lookup of this.#lookups) lookup.end("ECANCELLED");
  }

  #lookup(
    name: string,
    types: readonly QuestionType[],
    answered: (type: QuestionType, answer: FinalAnswer) => void,
  ): void {
    const lookup = new DnsLookup(name, types, {
      servers: this.#servers,
      timeout: this.#timeout,
      answered,
      done: (server) => {
        this.#lookups.delete(lookup);
        if (server !== undefined && server !== this.#servers[0]) this.#prefer(server);
      },
    });
    this.#lookups.add(lookup);
    if (this.#closed) lookup.end("ECANCELLED");
    else lookup.start();
  }

  #prefer(server: DnsServerAddress): void {
    this.#servers = [server, ...this.#servers.filter((other) => other !== server)];
  }
}

/** Addresses in the order of the families; a failure where there are none. */
function merge(
  name: string,
  types: readonly QuestionType[],
  answers: ReadonlyMap<QuestionType, FinalAnswer>,
): ResolvedAddresses | ResolveFailure {
  const addresses: string[] = [];
  let ttl = Infinity;
  for (const type of types) {
    const answer = answers.get(type);
    if (answer?.kind !== "records") continue;
    addresses.push(...answer.ips);
    ttl = Math.min(ttl, answer.ttl);
  }
  if (addresses.length > 0) return { addresses: [...new Set(addresses)], ttl: ttl * 1000 };
  return failure(name, [...answers.values()], "address");
}

/** That there is no such name is said for both families; otherwise a server's failure says more than having no address. */
function failure(name: string, answers: readonly FinalAnswer[], what: string): ResolveFailure {
  const isGone = answers.some((answer) => answer.kind === "none" && !answer.nameExists);
  for (const answer of answers) {
    if (answer.kind === "failed" && !isGone)
      return { code: answer.code, message: `${name} could not be looked up: ${answer.code}` };
  }
  const ttls = answers
    .map((answer) => (answer.kind === "none" ? answer.ttl : undefined))
    .filter((ttl) => ttl !== undefined);
  const ttl = ttls.length === 0 ? undefined : Math.min(...ttls) * 1000;
  return { code: "ENOTFOUND", message: `${name} has no ${what}`, ttl };
}
