/**
 * A small HTTPS server to stand behind the proxy: the demo's and the tests' "third party".
 *
 * Owns: one listening socket and its TLS. It says under which name it was called and by whom it is,
 * so that a caller can see where its connection ended. It knows nothing of the proxy.
 */

import { createServer, type Server } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Leaf } from "./certificates.ts";

export interface OriginOptions {
  /** What it calls itself in its answers. */
  readonly origin: string;
  readonly leaf: Leaf;
  /** IP address to listen on; 127.0.0.1 if absent. */
  readonly host?: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
}

/** A running origin. */
export interface Origin {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  /** `host:port` as a configuration wants it, an IPv6 host in brackets. */
  readonly address: string;
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

/** The JSON body of every answer. */
export interface OriginAnswer {
  readonly origin: string;
  readonly path: string;
  /** The server name of the TLS handshake; where the runtime does not tell, the Host header without its port. */
  readonly servedAs: string;
}

/**
 * Starts an HTTPS server that answers every request with an `OriginAnswer`.
 * @throws {Error} as the rejection, with the system's `code`, when it cannot listen.
 */
export async function startOrigin(options: OriginOptions): Promise<Origin> {
  const { origin, leaf, host = "127.0.0.1" } = options;
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, (request, response) => {
    const servedAs = serverName(request.socket) ?? hostWithoutPort(request.headers.host);
    const answer: OriginAnswer = { origin, path: request.url ?? "/", servedAs };
    response.writeHead(200, { "content-type": "application/json" }).end(`${JSON.stringify(answer)}\n`);
  });
  // A client that gives up in its handshake is its own affair, not a reason to end the program.
  server.on("tlsClientError", () => {});
  await listen(server, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const address = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  return { origin, host, port, address, close: () => close(server) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Node's typings give `request.socket` no server name, though on a TLS server it has one. */
function serverName(socket: unknown): string | undefined {
  const { servername } = socket as Partial<Pick<TLSSocket, "servername">>;
  return typeof servername === "string" && servername !== "" ? servername : undefined;
}

function hostWithoutPort(host: string | undefined): string {
  return (host ?? "").replace(/:\d+$/, "");
}
