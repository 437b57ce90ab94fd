/**
 * What the core asks of the machine's HTTP: a small server for its own interface, and single requests to one. Types only.
 *
 * Implemented once for all runtimes, in `adapters/host/`.
 */

import type { Endpoint } from "./address.ts";

/** One request, whole. All of it is the client's word. */
export interface HttpRequest {
  readonly method: string;
  /** request-target, as sent. */
  readonly target: string;
  /** By name in lower case; what came more than once is joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** UTF-8. */
  readonly body: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface HttpService {
  /** Where it listens, with the port that was given for 0. */
  readonly endpoint: Endpoint;
  /** Stops accepting; what it is answering is finished, the rest is closed. */
  close(): void;
}

/**
 * Answers requests, a bounded number of them, each within bounds of size and time; one connection has one request. A
 * `unix:` path is for this process's own user (mode 0600).
 * @throws {IoError} as the rejection.
 */
export type ServeHttp = (endpoint: Endpoint, options: HttpServiceOptions) => Promise<HttpService>;

export interface HttpServiceOptions {
  /** Never rejects. */
  answer(request: HttpRequest): Promise<HttpResponse>;
  /** What is said to a request that was not whole, too large or too slow: the status and why. */
  refuse(status: number, reason: string): HttpResponse;
}

/** A request to an HTTP server: `http://host:port`, or one on a `unix:` path. */
export interface HttpQuestion {
  readonly server: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Milliseconds for all of it. */
  readonly timeout: number;
}

/** @throws {IoError} as the rejection. */
export type RequestHttp = (question: HttpQuestion) => Promise<{ readonly status: number; readonly body: string }>;
