/**
 * A connection through the proxy, with both of its ends in the test's hands.
 */

import { Buffer } from "node:buffer";
import { helloFor } from "./hello.ts";
import type { Origin } from "./origin.ts";
import { dial, type Peer } from "./peer.ts";
import type { RunningProxy } from "./proxy.ts";
import type { Scope } from "./waiting.ts";

export interface Joined {
  readonly client: Peer;
  readonly server: Peer;
  /** What the client has sent so far: the hello. */
  readonly hello: Buffer;
}

export interface JoinOptions {
  readonly endpoint?: string;
  readonly localAddress?: string;
  /** Goes out in one write with the hello. */
  readonly behindHello?: string;
}

/** Connects a client that asks for `host` and waits until `origin` has its hello. */
export async function join(
  scope: Scope,
  proxy: RunningProxy,
  origin: Origin,
  host: string,
  options: JoinOptions = {},
): Promise<Joined> {
  const { endpoint = proxy.endpoint, localAddress, behindHello = "" } = options;
  const client = await dial(scope, endpoint, localAddress === undefined ? {} : { localAddress });
  const hello = Buffer.concat([helloFor(host), Buffer.from(behindHello, "latin1")]);
  client.send(hello);
  const server = await origin.next();
  if (!server.socket.isPaused()) await server.receive(hello.length);
  return { client, server, hello };
}

/** Connects and sends `bytes`; what becomes of it is the test's matter. */
export async function sendFirst(
  scope: Scope,
  endpoint: string,
  bytes: Uint8Array | string,
  localAddress?: string,
): Promise<Peer> {
  const client = await dial(scope, endpoint, localAddress === undefined ? {} : { localAddress });
  return client.send(bytes);
}
