/**
 * Who may ask: the Host that is asked for, the token, and where a browser's request comes from.
 *
 * Owns: the defence against a web page that a browser of this machine shows: a name that it lets point here (DNS
 * rebinding: Host), and requests that it makes on its visitor's behalf (CSRF: Origin, Sec-Fetch-Site, a content type and a
 * field that no form can send). There are no cookies, so that a browser adds nothing by itself. RFC 9110 §7.2, RFC 6454 §7.
 */

import { canonicalIp } from "../address.ts";
import type { AdminConfig } from "../config/admin_options.ts";
import type { HttpRequest } from "../http_service.ts";
import { Refused, shown } from "./refusal.ts";

/** What must be met. */
export interface GuardSettings extends Pick<AdminConfig, "endpoint" | "allowedHosts"> {
  /** Undefined: none is needed. */
  readonly token: string | undefined;
}

/** Sent with every POST; any value will do. */
export const OWN_FIELD = "x-certless-admin";

/** @param authority what the request is for: Host, or the target's own. @throws {Refused} */
export function checkHost(authority: string, { endpoint, allowedHosts }: GuardSettings): void {
  const host = hostOf(authority);
  if (host !== undefined && isKnown(host, endpoint, allowedHosts)) return;
  const reason = authority === "" ? "it names no host" : `its host ${shown(authority)} is not one of this interface`;
  const remedy = "use localhost or its address, or add the host to admin.allowedHosts";
  throw new Refused(403, "wrong_host", `Cannot answer the request: ${reason}; ${remedy}`);
}

/** Without port and brackets, in lower case; undefined where it is none. */
function hostOf(authority: string): string | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?$/.exec(authority);
  if (found === null) return undefined;
  if (found[1] !== undefined) return canonicalIp(found[1]);
  const name = (found[2] as string).toLowerCase().replace(/\.$/, "");
  return canonicalIp(name) ?? name;
}

function isKnown(host: string, endpoint: GuardSettings["endpoint"], allowedHosts: readonly string[]): boolean {
  if (host === "localhost" || host.endsWith(".localhost") || allowedHosts.includes(host)) return true;
  const ip = canonicalIp(host);
  if (ip === undefined) return false;
  if (ip === "::1" || ip.startsWith("127.")) return true;
  if (endpoint.kind === "unix") return false;
  // Who listens on all addresses is asked by any of them; an address cannot be made to point elsewhere.
  return endpoint.ip === "0.0.0.0" || endpoint.ip === "::" || endpoint.ip === ip;
}

/** @throws {Refused} */
export function checkToken(request: HttpRequest, { token }: GuardSettings): void {
  if (token === undefined) return;
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given !== undefined && isSame(token, given)) return;
  const reason = given === undefined ? "it has no token" : "its token is not the right one";
  const remedy = "send Authorization: Bearer TOKEN";
  const message = `Cannot answer the request: ${reason}; ${remedy}`;
  throw new Refused(401, "unauthorized", message, [["WWW-Authenticate", 'Bearer realm="certless"']]);
}

/** Takes as long wherever they differ; only the length of what was given shows. */
export function isSame(token: string, given: string): boolean {
  let difference = token.length ^ given.length;
  for (let at = 0; at < given.length; at++) difference |= given.charCodeAt(at) ^ token.charCodeAt(at % token.length);
  return difference === 0;
}

/** A browser says where a request comes from: only from this interface's own page. @throws {Refused} */
export function checkOrigin({ headers }: HttpRequest, authority: string): void {
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  const isOwn = origin === undefined || origin.toLowerCase() === `http://${authority.toLowerCase()}`;
  const isHere = site === undefined || site === "same-origin" || site === "none";
  if (isOwn && isHere) return;
  throw new Refused(403, "foreign_origin", "Cannot answer the request: another site's page has made it");
}

/** What no form of a web page can send. @throws {Refused} */
export function checkAction({ headers }: HttpRequest): void {
  const type = (headers.get("content-type") ?? "").replace(/;.*$/, "").trim().toLowerCase();
  if (type !== "application/json") {
    throw new Refused(415, "not_json", "Cannot carry out the request: its Content-Type must be application/json");
  }
  if (headers.has(OWN_FIELD)) return;
  const remedy = "send it with any value, such as X-Certless-Admin: 1";
  throw new Refused(403, "no_own_field", `Cannot carry out the request: it has no field X-Certless-Admin; ${remedy}`);
}
