/**
 * `uri-host [":" port]`, as a Host field or an absolute-form target has it (RFC 9110 7.2, RFC 3986 3.2).
 *
 * Owns: what of it is a name that can be routed. No userinfo, no percent-encoding: in a request to a server
 * they only serve to show two hosts to two readers.
 */

import { parseIp } from "../address.ts";
import { normalizeHostname } from "../hostname.ts";

export interface Authority {
  /** The normalised host name; `undefined` when the host is an IP literal or empty. */
  readonly name: string | undefined;
  /** The host as sent, an IPv6 literal in its brackets. */
  readonly host: string;
  /** `undefined` when there is none or it is empty, which is the scheme's default. */
  readonly port: number | undefined;
}

const FORM = /^(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._-]{0,254})(?::([0-9]{0,5}))?$/;

/** `undefined` when `text` is no authority with a valid host. */
export function parseAuthority(text: string): Authority | undefined {
  // The longest valid one is a name of 254 with its port; what is longer is not worth a pattern.
  const match = text.length <= 260 ? FORM.exec(text) : null;
  if (match === null) return undefined;
  const host = match[1] as string;
  const port = match[2] === undefined || match[2] === "" ? undefined : Number(match[2]);
  if (port !== undefined && port > 65535) return undefined;
  if (host === "") return port === undefined && text === "" ? { name: undefined, host, port } : undefined;
  if (host.startsWith("[")) {
    return parseIp(host.slice(1, -1)) === undefined || !host.includes(":")
      ? undefined
      : { name: undefined, host, port };
  }
  if (parseIp(host) !== undefined) return { name: undefined, host, port };
  const name = normalizeHostname(host);
  return name === undefined ? undefined : { name, host, port };
}
