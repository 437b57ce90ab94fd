/**
 * Which addresses `direct` may dial: no request forgery into the inner network, no loop into certless itself.
 *
 * Owns: the decision and its words. It must not resolve. The classes are IANA's special-purpose registries
 * (RFC 6890), as `address.ts` has them.
 */

import { classifyIp, type Endpoint, embeddedIpv4, formatIp, parseIp, sameEndpoint } from "../address.ts";

export class DirectPolicy {
  readonly #listeners: readonly Endpoint[];
  readonly #ownAddresses: ReadonlySet<string>;

  /**
   * @param listeners where this process listens, ports resolved.
   * @param ownAddresses canonical addresses of this machine's interfaces.
   */
  constructor(listeners: readonly Endpoint[], ownAddresses: readonly string[]) {
    this.#listeners = listeners;
    this.#ownAddresses = new Set(ownAddresses);
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
    if (kind === "unspecified" || kind === "multicast") return `it is ${ARTICLES[kind]} address`;
    if (kind === "global" || allowPrivate) return undefined;
    return `it is ${ARTICLES[kind] ?? `a ${kind.replaceAll("_", " ")}`} address (allowPrivate: true on the route permits it)`;
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
