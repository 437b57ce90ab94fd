/**
 * Speaking to the service manager: sd_notify(3), datagrams to the socket that `NOTIFY_SOCKET` names.
 *
 * Owns: the socket. No runtime has unix datagrams of its own, so it is libc's where that can be called, and else
 * systemd's program `systemd-notify`, which needs `NotifyAccess=all`. It must not fail, whatever becomes of a message.
 */

import { spawn } from "node:child_process";
import process from "node:process";
import type { Notifier } from "../../src/system.ts";
import * as linux from "../linux/constants.ts";
import { type Libc, NoLibcError, openLibc } from "../linux/ffi.ts";
import { variable } from "./environment.ts";

/** `sockaddr_un`: the family, then the path. */
const PATH_AT = 2;
const PATH_SIZE = 108;
const CLOCK_MONOTONIC = 1;

/** Undefined where nobody wants to hear. */
export async function openNotifier(warn: (message: string) => void): Promise<Notifier | undefined> {
  const path = variable("NOTIFY_SOCKET");
  if (path === undefined) return undefined;
  const watchdog = watchdogOf(variable("WATCHDOG_PID"), variable("WATCHDOG_USEC"));
  try {
    const socket = new DatagramSocket(await openLibc(), path);
    return { watchdog, send: (lines) => socket.send(lines), monotonic: () => socket.monotonic() };
  } catch (error) {
    if (!(error instanceof NoLibcError)) throw error;
    warn(`the service manager is told through systemd-notify, which needs NotifyAccess=all: ${error.message}`);
    return { watchdog, send: (lines) => sendByProgram(lines, warn), monotonic: () => undefined };
  }
}

function watchdogOf(pid: string | undefined, microseconds: string | undefined): number | undefined {
  if (microseconds === undefined || !/^[1-9][0-9]{0,14}$/.test(microseconds)) return undefined;
  if (pid !== undefined && pid !== String(process.pid)) return undefined;
  return Number(microseconds) / 1000;
}

/** The address; a path that begins with `@` is an abstract one (unix(7)). Undefined where it cannot be one. */
export function notifyAddress(path: string): Uint8Array | undefined {
  const bytes = new TextEncoder().encode(path);
  const isAbstract = path.startsWith("@");
  if (!(isAbstract || path.startsWith("/")) || bytes.length >= PATH_SIZE) return undefined;
  const address = new Uint8Array(PATH_AT + bytes.length + (isAbstract ? 0 : 1));
  address[0] = linux.AF_UNIX;
  address.set(bytes, PATH_AT);
  if (isAbstract) address[PATH_AT] = 0;
  return address;
}

/** Connects for each message: a manager that was restarted has a new socket at the same path. */
class DatagramSocket {
  readonly #libc: Libc;
  readonly #address: Uint8Array | undefined;

  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    this.#address = notifyAddress(path);
  }

  send(lines: readonly string[]): void {
    if (this.#address === undefined) return;
    const libc = this.#libc;
    const fd = libc.socket(linux.AF_UNIX, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const address = libc.allocate(this.#address.length);
    address.bytes.set(this.#address);
    const text = new TextEncoder().encode(lines.join("\n"));
    const message = libc.allocate(text.length);
    message.bytes.set(text);
    if (libc.connect(fd, address.address, this.#address.length) === 0) {
      libc.send(fd, message.address, text.length, linux.MSG_NOSIGNAL);
    }
    libc.close(fd);
  }

  /** Of the system's clock: not every runtime's `hrtime` begins where that does. */
  monotonic(): bigint {
    const time = this.#libc.allocate(16);
    this.#libc.clock_gettime(CLOCK_MONOTONIC, time.address);
    const view = new DataView(time.bytes.buffer, time.bytes.byteOffset, 16);
    return view.getBigInt64(0, true) * 1_000_000n + view.getBigInt64(8, true) / 1_000n;
  }
}

function sendByProgram(lines: readonly string[], warn: (message: string) => void): void {
  try {
    const child = spawn("systemd-notify", [`--pid=${process.pid}`, ...lines], { stdio: "ignore" });
    child.on("error", (error) => warn(`Cannot tell the service manager: ${error.message}`));
    child.unref();
  } catch (error) {
    warn(`Cannot tell the service manager: ${error instanceof Error ? error.message : String(error)}`);
  }
}
