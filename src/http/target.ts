/**
 * request-target (RFC 9112 3.2): origin-form, absolute-form and asterisk-form.
 *
 * authority-form belongs to CONNECT, which is refused before its target is read.
 */

import { type Authority, parseAuthority } from "./authority.ts";

export interface Target {
  /** Of an absolute-form target, otherwise `undefined`. */
  readonly authority: Authority | undefined;
  /** The target as an origin server gets it: a path with its query, or `*`. */
  readonly origin: string;
}

// The authority ends where a path or a query begins. Only http: an https URL has no business on a clear-text port.
const ABSOLUTE = /^http:\/\/([^/?]*)(.*)$/i;

/** @param target printable ASCII without blanks. `undefined` when it has none of the three forms. */
export function parseTarget(method: string, target: string): Target | undefined {
  if (target.startsWith("/")) return { authority: undefined, origin: target };
  if (target === "*") return method === "OPTIONS" ? { authority: undefined, origin: target } : undefined;
  const match = ABSOLUTE.exec(target);
  if (match === null) return undefined;
  const authority = parseAuthority(match[1] as string);
  if (authority === undefined || authority.host === "") return undefined;
  const rest = match[2] as string;
  if (rest.startsWith("/")) return { authority, origin: rest };
  // RFC 9112 3.2.4: without path and query, OPTIONS is meant for the whole server.
  if (rest === "" && method === "OPTIONS") return { authority, origin: "*" };
  return { authority, origin: `/${rest}` };
}
