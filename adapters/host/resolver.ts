/**
 * Names to addresses: by the system (hosts file included) or by given DNS servers alone.
 *
 * Owns: the deadline of a lookup and the folding of two answers into one. It must not cache and not choose: the order
 * is the order in which the answers came.
 */

import { promises as dns } from "node:dns";
import type { IoError } from "../../src/errors.ts";
import type { Resolver, ResolverOptions } from "../../src/host.ts";
import { toIoError } from "../shared/io_error.ts";

/** Milliseconds for which the second family may lag behind the first (RFC 8305 §3, Resolution Delay). */
const RESOLUTION_DELAY = 50;

/** What DNS says of a name that has no address of a family. */
const NO_ADDRESS = new Set(["ENOTFOUND", "ENODATA", "ENONAME", "EAI_NONAME", "EAI_NODATA"]);

/** One family's answer, or the failure. */
type Query = () => Promise<readonly string[]>;

class Lookup {
  readonly promise: Promise<string[]>;
  #resolve: (addresses: string[]) => void = () => {};
  #reject: (error: IoError) => void = () => {};
  #outstanding: number;
  #addresses: string[] = [];
  #error: IoError | undefined;
  #timer: ReturnType<typeof setTimeout>;
  readonly #name: string;

  constructor(name: string, queries: readonly Query[], timeout: number) {
    this.#name = name;
    this.#outstanding = queries.length;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#overdue(timeout), timeout);
    for (const query of queries) void this.#ask(query);
  }

  cancel(): void {
    this.#settle({ code: "ECANCELLED", message: `the lookup of ${this.#name} was given up` });
  }

  async #ask(query: Query): Promise<void> {
    try {
      this.#addresses.push(...(await query()));
    } catch (thrown) {
      this.#failed(toIoError(thrown));
    }
    this.#outstanding--;
    if (this.#outstanding === 0) {
      this.#settle(this.#error ?? { code: "ENOTFOUND", message: `${this.#name} has no address` });
    } else if (this.#addresses.length > 0) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#settle(undefined), RESOLUTION_DELAY);
    }
  }

  /** A server's failure says more than the other family's having no address. */
  #failed(error: IoError): void {
    if (NO_ADDRESS.has(error.code)) this.#error ??= { ...error, code: "ENOTFOUND" };
    else if (this.#error === undefined || this.#error.code === "ENOTFOUND") this.#error = error;
  }

  #overdue(timeout: number): void {
    this.#settle({ code: "ETIMEOUT", message: `no answer for ${this.#name} in ${timeout} ms` });
  }

  /** With what has come by now; `error` where nothing has. */
  #settle(error: IoError | undefined): void {
    clearTimeout(this.#timer);
    if (this.#addresses.length > 0) this.#resolve([...new Set(this.#addresses)]);
    else this.#reject(error ?? { code: "ENOTFOUND", message: `${this.#name} has no address` });
  }
}

class DnsResolver implements Resolver {
  readonly #timeout: number;
  readonly #servers: dns.Resolver | undefined;
  readonly #lookups = new Set<Lookup>();

  constructor(options: ResolverOptions) {
    this.#timeout = options.timeout;
    if (options.servers.length === 0) return;
    this.#servers = new dns.Resolver({ timeout: Math.ceil(options.timeout / 2), tries: 2 });
    this.#servers.setServers(options.servers);
  }

  async resolve(name: string): Promise<string[]> {
    const lookup = new Lookup(name, this.#queries(name), this.#timeout);
    this.#lookups.add(lookup);
    try {
      return await lookup.promise;
    } finally {
      this.#lookups.delete(lookup);
    }
  }

  close(): void {
    for (const lookup of this.#lookups) lookup.cancel();
    this.#servers?.cancel();
  }

  #queries(name: string): Query[] {
    const servers = this.#servers;
    if (servers !== undefined) return [() => servers.resolve4(name), () => servers.resolve6(name)];
    return [async () => (await dns.lookup(name, { all: true, order: "verbatim" })).map((entry) => entry.address)];
  }
}

/**
 * A resolver of its own settings.
 * @throws {IoError} for a server that is no `IP:port`.
 */
export function createResolver(options: ResolverOptions): Resolver {
  try {
    return new DnsResolver(options);
  } catch (error) {
    throw toIoError(error);
  }
}
