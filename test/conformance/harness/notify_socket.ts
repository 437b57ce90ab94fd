/**
 * A service manager's end of sd_notify(3): a unix datagram socket that remembers what it is told.
 */

import { EAGAIN, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from "../../../adapters/linux/constants.ts";
import { openLibc } from "../../../adapters/linux/ffi.ts";
import { notifyAddress } from "../../../adapters/system/notifier.ts";
import type { Scope } from "./waiting.ts";

const SIZE = 4096;

export interface NotifySocket {
  /** Messages so far, oldest first; each is one or more lines. */
  messages(): readonly string[];
}

export async function openNotifySocket(scope: Scope, path: string): Promise<NotifySocket> {
  const libc = await openLibc();
  const address = notifyAddress(path);
  if (address === undefined) throw new Error(`${path} is no address`);
  const memory = libc.allocate(address.length);
  memory.bytes.set(address);
  const fd = libc.socket(1, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (libc.bind(fd, memory.address, address.length) < 0) throw new Error(`cannot bind ${path}`);
  scope.after(() => void libc.close(fd));
  const buffer = libc.allocate(SIZE);
  const found: string[] = [];
  return {
    messages() {
      for (;;) {
        const count = libc.recv(fd, buffer.address, SIZE, 0);
        if (count < 0 && libc.errno[0] === EAGAIN) return found;
        if (count < 0) throw new Error("cannot receive");
        found.push(new TextDecoder().decode(buffer.bytes.slice(0, count)));
      }
    },
  };
}
