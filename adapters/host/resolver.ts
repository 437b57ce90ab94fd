/**
 * Names to addresses: by the system (hosts file included) or by given DNS servers alone.
 *
 * Owns: the choice, and lookups by the system: those have no TTL, since `getaddrinfo` tells none, and it may ask
 * more than DNS. Services (SRV) are DNS's alone: without servers of our own, the system's are asked for them.
 */

import { promises as dns, getServers } from "node:dns";
import { parseEndpoint } from "../../src/address.ts";
import type {
  AddressFamily,
  DnsResolver,
  ResolvedAddresses,
  ResolvedBindings,
  ResolvedServices,
  ResolveFailure,
  ResolverOptions,
} from "../../src/host.ts";
import { toIoError } from "../shared/io_error.ts";
import type { DnsServerAddress } from "./dns_channel.ts";
import { ServerResolver } from "./server_resolver.ts";

/** What the system says of a name that has no address. */
const NO_ADDRESS = new Set(["ENOTFOUND", "ENODATA", "ENONAME", "EAI_NONAME", "EAI_NODATA"]);

/** `getaddrinfo` takes a thread of a small pool each: more at once would only wait there. */
const SYSTEM_CONCURRENCY = 16;
/** Calls under way, those included whose time was over: `getaddrinfo` cannot be given up, and waits long for a dead resolver. */
const MAX_CALLS = 64;

const BOTH: readonly AddressFamily[] = ["ipv6", "ipv4"];

class SystemResolver implements DnsResolver {
  readonly concurrency = SYSTEM_CONCURRENCY;
  readonly #timeout: number;
  readonly #families: readonly AddressFamily[] | undefined;
  /** Ends of the lookups under way. */
  readonly #cancels = new Set<() => void>();
  #dns: ServerResolver | undefined;
  #calls = 0;
  #closed = false;

  constructor(timeout: number, families: readonly AddressFamily[] | undefined) {
    this.#timeout = timeout;
    this.#families = families;
  }

  resolve(name: string, answered: (outcome: ResolvedAddresses | ResolveFailure) => void): void {
    let open = true;
    const settle = (outcome: ResolvedAddresses | ResolveFailure): void => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      this.#cancels.delete(cancel);
      answered(outcome);
    };
    const cancel = (): void => settle({ code: "ECANCELLED", message: `the lookup of ${name} was given up` });
    const overdue = { code: "ETIMEOUT", message: `no answer for ${name} in ${this.#timeout} ms` };
    const timer = setTimeout(() => settle(overdue), this.#timeout);
    this.#cancels.add(cancel);
    if (this.#closed) {
      cancel();
      return;
    }
    if (this.#calls >= MAX_CALLS) {
      settle({ code: "EAGAIN", message: `the system has not answered ${MAX_CALLS} lookups before ${name}` });
      return;
    }
    this.#calls++;
    dns
      .lookup(name, { all: true, order: "verbatim", family: this.#onlyFamily() })
      .finally(() => this.#calls--)
      .then(
        (entries) => settle(this.#answer(name, entries)),
        (thrown: unknown) => settle(systemFailure(thrown)),
      );
  }

  resolveService(name: string, answered: (outcome: ResolvedServices | ResolveFailure) => void): void {
    this.#byDns(answered)?.resolveService(name, answered);
  }

  resolveBindings(name: string, answered: (outcome: ResolvedBindings | ResolveFailure) => void): void {
    this.#byDns(answered)?.resolveBindings(name, answered);
  }

  resolveByDns(name: string, answered: (outcome: ResolvedAddresses | ResolveFailure) => void): void {
    this.#byDns(answered)?.resolveByDns(name, answered);
  }

  /** The system's DNS servers; where it names none, that is the answer. */
  #byDns(answered: (failure: ResolveFailure) => void): ServerResolver | undefined {
    const servers = [...new Set(getServers())].map(systemServer).filter((server) => server !== undefined);
    if (servers.length === 0) {
      answered({ code: "ENOSERVERS", message: "the system names no DNS server" });
      return undefined;
    }
    this.#dns ??= new ServerResolver(servers, this.#timeout, this.#families ?? BOTH);
    return this.#dns;
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#dns?.close();
  }

  #onlyFamily(): 0 | 4 | 6 {
    if (this.#families?.length !== 1) return 0;
    return this.#families[0] === "ipv4" ? 4 : 6;
  }

  /** In the system's own order (RFC 6724), unless one family is wanted first. */
  #answer(name: string, entries: readonly { readonly address: string }[]): ResolvedAddresses | ResolveFailure {
    const addresses = [...new Set(entries.map(({ address }) => address))];
    if (addresses.length === 0) return { code: "ENOTFOUND", message: `${name} has no address` };
    const first = this.#families?.[0];
    if (first !== undefined) addresses.sort((a, b) => rank(a, first) - rank(b, first));
    return { addresses, ttl: undefined };
  }
}

function rank(address: string, first: AddressFamily): number {
  return address.includes(":") === (first === "ipv6") ? 0 : 1;
}

function systemFailure(thrown: unknown): ResolveFailure {
  const error = toIoError(thrown);
  return NO_ADDRESS.has(error.code) ? { ...error, code: "ENOTFOUND" } : error;
}

/** As `getServers` writes it: the port only where it is not 53. */
function systemServer(text: string): DnsServerAddress | undefined {
  const bare = text.includes(":") && !text.startsWith("[") && !text.includes(".") ? `[${text}]:53` : `${text}:53`;
  const endpoint = parseEndpoint(text) ?? parseEndpoint(bare);
  return endpoint?.kind === "tcp" ? endpoint : undefined;
}

/**
 * A resolver of its own settings.
 * @throws {IoError} for a server that is no `IP:port`.
 */
export function createResolver({ servers, timeout, families }: ResolverOptions): DnsResolver {
  if (servers.length === 0) return new SystemResolver(timeout, families);
  const addresses = servers.map((server): DnsServerAddress => {
    const endpoint = parseEndpoint(server);
    if (endpoint?.kind !== "tcp") throw { code: "EINVAL", message: `${server} is not an IP address with a port` };
    return endpoint;
  });
  return new ServerResolver(addresses, timeout, families ?? BOTH);
}
