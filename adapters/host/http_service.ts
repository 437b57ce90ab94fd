/**
 * A small HTTP server for the program's own interface, by `node:http`, which all three runtimes have.
 *
 * Owns: the bounds of what a stranger may take up: bytes, time, connections. It must not know what is asked. Each
 * connection has one request: nothing is kept alive, and nobody's place is taken for long. Bun tells of a connection only
 * when it has sent a head: there, those who have not are bounded by time alone.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Endpoint } from "../../src/address.ts";
import type { HttpRequest, HttpResponse, HttpService, HttpServiceOptions } from "../../src/http_service.ts";
import { toIoError } from "../shared/io_error.ts";
import { listenUnix } from "./unix_service.ts";

/** What a stranger may take up: bytes, milliseconds, connections at once. */
export interface HttpBounds {
  readonly head: number;
  readonly body: number;
  /** For the head, for the whole request, and for the whole connection. */
  readonly headTime: number;
  readonly requestTime: number;
  readonly connectionTime: number;
  readonly connections: number;
}

export const HTTP_BOUNDS: HttpBounds = {
  head: 16_384,
  body: 65_536,
  headTime: 5_000,
  requestTime: 10_000,
  // A reload of a very large file takes its time.
  connectionTime: 120_000,
  connections: 64,
};

/** Still sending its request; waiting for the answer; still receiving it. */
type Phase = "asking" | "waiting" | "told";

/** The connections of a server, the oldest first, each with how far it is. */
class Visitors {
  readonly #phases = new Map<Socket, Phase>();
  readonly #bounds: HttpBounds;

  constructor(bounds: HttpBounds) {
    this.#bounds = bounds;
  }

  /**
   * Where there are too many, the one goes that has kept its place longest without a whole request; else the one that
   * has taken longest to receive its answer.
   */
  add(socket: Socket): void {
    if (this.#phases.size >= this.#bounds.connections) (this.#take("asking") ?? this.#take("told"))?.destroy();
    if (this.#phases.size >= this.#bounds.connections) {
      socket.destroy();
      return;
    }
    this.#phases.set(socket, "asking");
    const timer = setTimeout(() => socket.destroy(), this.#bounds.connectionTime);
    timer.unref();
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      this.#phases.delete(socket);
    });
  }

  /** It has got as far as that; who has had to go stays gone. */
  is(socket: Socket, phase: Phase): void {
    if (this.#phases.has(socket)) this.#phases.set(socket, phase);
  }

  closeIdle(): void {
    for (const [socket, phase] of this.#phases) if (phase === "asking") socket.destroy();
  }

  #take(wanted: Phase): Socket | undefined {
    for (const [socket, phase] of this.#phases) {
      if (phase !== wanted) continue;
      this.#phases.delete(socket);
      return socket;
    }
    return undefined;
  }
}

/** @throws {IoError} as the rejection. */
export async function serveHttp(
  endpoint: Endpoint,
  options: HttpServiceOptions,
  bounds: HttpBounds = HTTP_BOUNDS,
): Promise<HttpService> {
  const visitors = new Visitors(bounds);
  const asked = new WeakSet<Socket>();
  const server = createServer(
    {
      maxHeaderSize: bounds.head,
      headersTimeout: bounds.headTime,
      requestTimeout: bounds.requestTime,
      keepAliveTimeout: 1,
      connectionsCheckingInterval: bounds.headTime / 5,
    },
    (incoming, outgoing) => {
      const { socket } = incoming;
      // A connection has one request.
      if (asked.has(socket)) return;
      asked.add(socket);
      void serve(incoming, outgoing, options, bounds.body, (phase) => visitors.is(socket, phase));
    },
  );
  server.on("connection", (socket) => visitors.add(socket));
  server.on("clientError", (error: { readonly code?: string }, socket) => {
    const [status, reason] = CLIENT_ERRORS[error.code ?? ""] ?? [400, "it is not HTTP/1.1"];
    const socketIsOpen = socket.writable;
    if (socketIsOpen) socket.end(rawResponse(options.refuse(status, reason)), () => socket.destroy());
    else socket.destroy();
  });
  const close = (): void => {
    server.close();
    visitors.closeIdle();
    server.closeIdleConnections();
  };
  if (endpoint.kind === "unix") {
    await listenUnix(server, endpoint);
    return { endpoint, close };
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(toIoError(error)));
    server.listen({ host: endpoint.ip, port: endpoint.port }, resolve);
  });
  return { endpoint: { ...endpoint, port: (server.address() as AddressInfo).port }, close };
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "its head is too long"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "it was not whole in time"],
};

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { answer, refuse }: HttpServiceOptions,
  mostBytes: number,
  is: (phase: Phase) => void,
): Promise<void> {
  outgoing.on("error", () => {});
  const body = await readBody(incoming, mostBytes);
  if (body === undefined) {
    send(incoming, outgoing, refuse(413, `its body is longer than ${mostBytes} bytes`));
    return;
  }
  if (body === "broken") return;
  is("waiting");
  const answered = await answer(requestOf(incoming, body.text));
  is("told");
  send(incoming, outgoing, answered);
}

function send(incoming: IncomingMessage, outgoing: ServerResponse, { status, headers, body }: HttpResponse): void {
  const bytes = Buffer.from(body);
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  outgoing.setHeader("Connection", "close");
  outgoing.setHeader("Content-Length", bytes.length);
  outgoing.writeHead(status);
  outgoing.end(incoming.method === "HEAD" ? undefined : bytes);
}

/** Undefined: it is too long. */
function readBody(
  incoming: IncomingMessage,
  mostBytes: number,
): Promise<{ readonly text: string } | "broken" | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    // Who says that it will be too long need not send it.
    if (Number(incoming.headers["content-length"]) > mostBytes) resolve(undefined);
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > mostBytes) resolve(undefined);
      else chunks.push(chunk);
    });
    incoming.on("end", () => resolve({ text: Buffer.concat(chunks).toString("utf8") }));
    incoming.on("error", () => resolve("broken"));
    incoming.on("close", () => resolve("broken"));
  });
}

function requestOf({ method = "", url = "", rawHeaders }: IncomingMessage, body: string): HttpRequest {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = rawHeaders[index + 1] as string;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { method, target: url, headers, body };
}

/** For what did not become a request. */
function rawResponse({ status, headers, body }: HttpResponse): string {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 ${status} Refused\r\n${fields}Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
