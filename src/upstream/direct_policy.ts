/**
 * Which addresses `direct` may dial: no request forgery into the inner network, no loop into certless itself.
 *
 * Owns: the decision and its words. It must not resolve. The classes are IANA's special-purpose registries
 * (RFC 6890), as `address.ts` has them.
 */

import { canonicalIp, classifyIp, type Endpoint, embeddedIpv4, formatIp, parseIp, sameEndpoint } from "../address.ts";
import type { SelfAddress } from "../config/config.ts";
import { fakeIpNote } from "./fake_ip.ts";

export class DirectPolicy {
  readonly #listeners: readonly Endpoint[];
  readonly #selfAddresses: readonly SelfAddress[];
  #ownAddresses!: ReadonlySet<string>;

  /**
   * @param listeners where this process listens, ports resolved.
   * @param ownAddresses of this machine's interfaces.
   * @param selfAddresses by which it is reached besides.
   */
  constructor(
    listeners: readonly Endpoint[],
    ownAddresses: readonly string[],
    selfAddresses: readonly SelfAddress[] = [],
  ) {
    this.#listeners = listeners;
    this.#selfAddresses = selfAddresses;
    this.setOwnAddresses(ownAddresses);
  }

  /** The interfaces' addresses have changed. */
  setOwnAddresses(addresses: readonly string[]): void {
    this.#ownAddresses = new Set(addresses.map((address) => canonicalIp(address) ?? address));
  }

  /** Why `direct` must not dial `ip` at `port`, in one phrase; undefined where it may. */
  refuses(ip: string, port: number, allowPrivate: boolean): string | undefined {
    const address = parseIp(ip);
    if (address === undefined) return "it is not an IP address";
    const kind = classifyIp(address);
    const names = [formatIp(address.bytes), embeddedIpv4(address)];
    if (names.some((name) => name !== undefined && this.#isOwnListener(name, port, kind === "loopback"))) {
      return "certless itself listens there: a hosts file or DNS leads the name back to this machine";
    }
    if (names.some((name) => name !== undefined && this.#isSelf(name, port))) {
      return "it is in selfAddresses: the connection would come back to certless itself";
    }
    if (kind === "unspecified" || kind === "multicast") return `it is ${ARTICLES[kind]} address`;
    if (kind === "global" || allowPrivate) return undefined;
    const what = `it is ${ARTICLES[kind] ?? `a ${kind.replaceAll("_", " ")}`} address`;
    const note = fakeIpNote(formatIp(address.bytes));
    return note === "" ? `${what} (allowPrivate: true on the route permits it)` : `${what}; ${note}`;
  }

  #isSelf(ip: string, port: number): boolean {
    return this.#selfAddresses.some((self) => self.ip === ip && (self.port === undefined || self.port === port));
  }

  #isOwnListener(ip: string, port: number, loopback: boolean): boolean {
    return this.#listeners.some((listener) => {
      if (listener.kind !== "tcp" || listener.port !== port) return false;
      if (sameEndpoint(listener, { kind: "tcp", ip, port })) return true;
      const any = listener.ip === "0.0.0.0" || listener.ip === "::";
      return any && (loopback || this.#ownAddresses.has(ip));
    });
  }
}

const ARTICLES: Readonly<Record<string, string>> = {
  unspecified: "the unspecified",
  unique_local: "a unique local",
  cgnat: "a carrier-grade NAT",
};
