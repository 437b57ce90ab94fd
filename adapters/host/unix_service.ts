/**
 * Listens on a `unix:` path that only this process's user may open.
 *
 * Owns: the file's mode, and the file that a dead process left behind.
 */

import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import process from "node:process";
import type { Endpoint } from "../../src/address.ts";
import { toIoError } from "../shared/io_error.ts";
import { bindOverStale } from "../shared/unix_path.ts";

const ONLY_OWN_USER = 0o600;

type UnixEndpoint = Extract<Endpoint, { readonly kind: "unix" }>;

/** @throws {IoError} as the rejection. */
export async function listenUnix(server: Server, endpoint: UnixEndpoint): Promise<void> {
  const files = { isSocket: (path: string) => lstatSync(path).isSocket(), remove: unlinkSync };
  await bindOverStale(PROBE, endpoint, files, () => bind(server, endpoint.path));
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const restore = narrowMask();
    server.once("error", (error) => {
      restore();
      reject(toIoError(error));
    });
    server.listen(path, () => {
      restore();
      chmodSync(path, ONLY_OWN_USER);
      resolve();
    });
  });
}

/** So that nobody gets in before `chmod`; not every runtime lets a program do that. */
function narrowMask(): () => void {
  try {
    const before = process.umask(0o177);
    return () => void process.umask(before);
  } catch {
    return () => {};
  }
}

/** Whether somebody answers on a path. */
const PROBE: Parameters<typeof bindOverStale>[0] = {
  connect(endpoint, callbacks) {
    const socket = connect({ path: endpoint.kind === "unix" ? endpoint.path : "" });
    // Whoever asks only wants to know, and destroys it.
    socket.once("connect", () => callbacks.connected(socket as never));
    socket.once("error", (error) => callbacks.failed(toIoError(error)));
    return { cancel: () => socket.destroy() };
  },
};
