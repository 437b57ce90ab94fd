/**
 * Short HTTP/1.1 replies of our own, and the redirect to https (RFC 9110 15, RFC 9112 6).
 *
 * Owns: their form. It must not put a byte from the wire into one that was not checked: a location is
 * built from a parsed head only, and whatever is no printable ASCII is replaced.
 */

import { Writer } from "../bytes.ts";
import { parseAuthority } from "./authority.ts";
import type { RequestHead } from "./request_head.ts";
import { parseTarget } from "./target.ts";

const STATUS = {
  301: "Moved Permanently",
  308: "Permanent Redirect",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  508: "Loop Detected",
} as const;

export type ReplyStatus = keyof typeof STATUS;

export interface ReplyOptions {
  /** One line for the person who reads it. */
  readonly detail: string;
  /** For a redirect: an absolute URL. */
  readonly location?: string | undefined;
  /** The request's method: the reply to HEAD has no body (RFC 9110 9.3.2). */
  readonly method?: string | undefined;
}

/** A whole reply, after which the connection is to be closed. */
export function encodeReply(status: ReplyStatus, options: ReplyOptions): Uint8Array {
  const body = `${status} ${STATUS[status]}\n${oneLine(options.detail)}\n`;
  const fields = [
    `HTTP/1.1 ${status} ${STATUS[status]}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  if (options.location !== undefined) fields.push(`Location: ${oneLine(options.location)}`);
  const head = `${fields.join("\r\n")}\r\n\r\n`;
  return new Writer(head.length + body.length).ascii(options.method === "HEAD" ? head : head + body).written();
}

/**
 * Where the same resource is under https.
 * @param port of the https listener; 443 is left out of the URL.
 * @returns `undefined` when the request says no host.
 */
export function httpsLocation(head: RequestHead, port: number): string | undefined {
  const host = head.host ?? parseAuthority(head.hostHeader)?.host;
  if (host === undefined || host === "") return undefined;
  const path = parseTarget(head.method, head.target)?.origin;
  return `https://${host}${port === 443 ? "" : `:${port}`}${path === undefined || path === "*" ? "/" : path}`;
}

/** Every control character and everything beyond ASCII as `?`: no second field, no second reply. */
function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
