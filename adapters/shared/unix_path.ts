/**
 * Binding a `unix:` path that a dead process left behind.
 *
 * Owns: the decision that a socket's file is stale. It must never remove what is not a socket, nor one that answers.
 */

import type { Adapter } from "../../src/adapter.ts";
import type { Endpoint } from "../../src/address.ts";
import { toIoError } from "./io_error.ts";

/** What the runtime does with the path. */
export interface UnixPath {
  isSocket(path: string): boolean;
  remove(path: string): void;
}

/**
 * Binds; where the address is in use by a socket's file that nobody answers on, removes the file and binds again.
 * @throws {IoError} `EADDRINUSE` where somebody answers or the file is no socket; whatever else `bind` throws.
 */
export async function bindOverStale<T>(
  adapter: Pick<Adapter, "connect">,
  endpoint: Endpoint,
  files: UnixPath,
  bind: () => T | Promise<T>,
): Promise<T> {
  try {
    return await bind();
  } catch (thrown) {
    const error = toIoError(thrown);
    if (endpoint.kind !== "unix" || error.code !== "EADDRINUSE" || !isStaleFile(files, endpoint.path)) throw error;
    if (await answers(adapter, endpoint)) throw error;
    files.remove(endpoint.path);
  }
  try {
    return await bind();
  } catch (thrown) {
    throw toIoError(thrown);
  }
}

function isStaleFile(files: UnixPath, path: string): boolean {
  try {
    return files.isSocket(path);
  } catch {
    return false;
  }
}

function answers(adapter: Pick<Adapter, "connect">, endpoint: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    adapter.connect(endpoint, {
      connected(socket) {
        socket.destroy();
        resolve(true);
      },
      failed: (error) => resolve(error.code !== "ECONNREFUSED"),
    });
  });
}
