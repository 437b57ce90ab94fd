/**
 * The few fields of a request head that routing and framing depend on: Host, Content-Length,
 * Transfer-Encoding, Connection, Upgrade (RFC 9112 3.2, 6; RFC 9110 7.2, 7.8, 8.6).
 *
 * Owns: what makes them ambiguous. It sees fields one by one, already split and trimmed.
 */

import { latin1 } from "../bytes.ts";
import { type Authority, parseAuthority } from "./authority.ts";
import type { HttpFault } from "./http_fault.ts";

/** How a request's body is framed (RFC 9112 6.3). */
export type RequestBody =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" };

/** Protocols whose connections carry further requests, maybe for other hosts: never let through as an upgrade. */
const CARRIES_REQUESTS = /^(h2|h3|http|spdy|tls)/;

export class HeadFields {
  /** The authority of an absolute-form target; set before the first field. */
  targetAuthority: Authority | undefined;
  #hostText: string | undefined;
  #host: Authority | undefined;
  #length: number | undefined;
  #chunked = false;
  #connection = "";
  #upgrade = "";

  /** @param name in lower case. The value is `buffer[start..end)`, checked bytes only. */
  add(name: string, buffer: Uint8Array, start: number, end: number): HttpFault | undefined {
    switch (name) {
      case "host":
        return this.#addHost(latin1(buffer, start, end));
      case "content-length":
        return this.#addLength(latin1(buffer, start, end));
      case "transfer-encoding":
        return this.#addEncoding(latin1(buffer, start, end));
      case "connection":
        this.#connection += `,${latin1(buffer, start, end)}`;
        break;
      case "upgrade":
        this.#upgrade += `,${latin1(buffer, start, end)}`;
    }
    return undefined;
  }

  /** What is wrong with the fields together. */
  check(version: "1.0" | "1.1"): HttpFault | undefined {
    if (this.#hostText === undefined && version === "1.1") return ["missing_host", "HTTP/1.1 without Host"];
    if (this.#chunked && this.#length !== undefined) {
      return ["ambiguous_length", "both Content-Length and Transfer-Encoding"];
    }
    if (this.#chunked && version === "1.0") return ["bad_transfer_encoding", "Transfer-Encoding in HTTP/1.0"];
    return this.#hostsDiffer() ? ["host_mismatch", "Host is not the target's host"] : undefined;
  }

  /** The host that the request is for; RFC 9112 3.2.2: an absolute-form target's goes before Host. */
  get authority(): Authority | undefined {
    return this.targetAuthority ?? this.#host;
  }

  get hostHeader(): string {
    const target = this.targetAuthority;
    if (target === undefined) return this.#hostText ?? "";
    return target.port === undefined ? target.host : `${target.host}:${target.port}`;
  }

  get body(): RequestBody {
    if (this.#chunked) return { kind: "chunked" };
    return this.#length === undefined ? { kind: "none" } : { kind: "length", length: this.#length };
  }

  /** Both fields are there, and every protocol offered is something else than HTTP. */
  get upgrade(): boolean {
    const protocols = listOf(this.#upgrade).map((protocol) => protocol.split("/", 1)[0] as string);
    return (
      protocols.length > 0 &&
      listOf(this.#connection).includes("upgrade") &&
      !protocols.some((protocol) => CARRIES_REQUESTS.test(protocol))
    );
  }

  #addHost(text: string): HttpFault | undefined {
    if (this.#hostText !== undefined) return ["duplicate_host", "two Host fields"];
    this.#hostText = text;
    this.#host = parseAuthority(text);
    return this.#host === undefined ? ["bad_host", "Host is neither a host name nor an IP address"] : undefined;
  }

  /** A repeated length is refused even if it is the same: the head goes on as it came, and must not carry both (RFC 9110 8.6). */
  #addLength(text: string): HttpFault | undefined {
    if (this.#length !== undefined) return ["bad_content_length", "two Content-Length fields"];
    if (!/^[0-9]{1,15}$/.test(text)) return ["bad_content_length", "Content-Length is no number"];
    this.#length = Number(text);
    return undefined;
  }

  /** Only `chunked`, once: other codings are hardly sent, and servers differ on what they make of them. */
  #addEncoding(text: string): HttpFault | undefined {
    if (this.#chunked) return ["bad_transfer_encoding", "two Transfer-Encoding fields"];
    if (text.toLowerCase() !== "chunked") return ["bad_transfer_encoding", "Transfer-Encoding is not chunked"];
    this.#chunked = true;
    return undefined;
  }

  /** The server is free to look at either one, so a difference would choose a host behind the router's back. */
  #hostsDiffer(): boolean {
    const target = this.targetAuthority;
    if (target === undefined || this.#host === undefined) return false;
    const a = target.name ?? target.host.toLowerCase();
    const b = this.#host.name ?? this.#host.host.toLowerCase();
    return a !== b || (target.port ?? 80) !== (this.#host.port ?? 80);
  }
}

/** The elements of a comma-separated list in lower case, empty ones left out (RFC 9110 5.6.1). */
export function listOf(value: string): string[] {
  return value
    .split(",")
    .map((element) => element.trim().toLowerCase())
    .filter((element) => element !== "");
}
