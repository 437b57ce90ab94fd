/**
 * A first look at the ports.
 *
 * Opens each port once, alone, and closes it again: finds the ports for 0, and a port that another program has, which
 * `SO_REUSEPORT` would let processes of one user share unnoticed.
 */

import type { Adapter } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import type { IoError } from "../errors.ts";
import { ListenError } from "../proxy/listen_error.ts";
import type { InheritedSockets } from "./inherited_sockets.ts";

/** Where to listen, in the same order. @throws {ListenError} as the rejection. */
export async function tryEndpoints(
  adapter: Pick<Adapter, "listen">,
  wanted: readonly Endpoint[],
  inherited?: InheritedSockets,
): Promise<Endpoint[]> {
  const listeners: { readonly endpoint: Endpoint; close(): void }[] = [];
  try {
    for (const endpoint of wanted) {
      // Where another process accepts, a socket that closes again would take clients with it.
      const isTaken = inherited !== undefined && (inherited.has(endpoint) || inherited.join);
      if (endpoint.kind === "unix" || (isTaken && endpoint.port !== 0)) listeners.push({ endpoint, close() {} });
      else listeners.push(await adapter.listen(endpoint, (socket) => socket.destroy()));
    }
    return listeners.map(({ endpoint }) => endpoint);
  } catch (error) {
    throw new ListenError(wanted[listeners.length]!, error as IoError);
  } finally {
    for (const listener of listeners) listener.close();
  }
}
