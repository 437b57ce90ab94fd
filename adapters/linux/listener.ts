/**
 * A listening socket.
 *
 * Owns: binding, accepting, and what to do where accepting fails. It must not spin when descriptors run out.
 */

import type { Listener, ListenOptions, Socket } from "../../src/adapter.ts";
import type { Endpoint } from "../../src/address.ts";
import { tcpEndpoint } from "../shared/endpoint.ts";
import { Shortage } from "../shared/shortage.ts";
import { LISTEN_BACKLOG } from "../shared/stream.ts";
import * as linux from "./constants.ts";
import { setKeepalive } from "./grace.ts";
import { systemError } from "./kernel.ts";
import type { Watcher } from "./loop.ts";
import type { EngineParts } from "./parts.ts";
import { LinuxSocket } from "./socket.ts";

/** Clients accepted for one event, where they come faster than the loop turns. */
const BURST = 64;
/** Milliseconds until accepting is tried again when descriptors or memory ran out. */
const RETRY = 100;
/** Errors of one client, who is gone (accept(2)); every other one would come again at once. */
const OF_ONE_CLIENT: readonly number[] = [
  linux.ECONNABORTED,
  linux.EHOSTDOWN,
  linux.EHOSTUNREACH,
  linux.EINTR,
  linux.ENETDOWN,
  linux.ENETUNREACH,
  linux.ENONET,
  linux.ENOPROTOOPT,
  linux.EOPNOTSUPP,
  linux.EPERM,
  linux.EPROTO,
  linux.ETIMEDOUT,
];

/** @throws {IoError} */
export function openListener(
  parts: EngineParts,
  endpoint: Endpoint,
  accepted: (socket: Socket) => void,
  removeFile: (path: string) => void,
  options: ListenOptions,
): LinuxListener {
  const { kernel } = parts;
  const fd = kernel.openSocket(endpoint);
  const failed = (call: string): never => {
    const error = systemError(kernel.errno[0] as number, call, endpoint);
    if (fd >= 0) kernel.libc.close(fd);
    throw error;
  };
  if (fd < 0) failed("socket");
  if (endpoint.kind === "tcp") setOptions(parts, fd, endpoint.ip, options);
  if (kernel.bind(fd, endpoint) < 0) failed("bind");
  if (kernel.libc.listen(fd, LISTEN_BACKLOG) < 0) failed("listen");
  const local = endpoint.kind === "tcp" ? kernel.localEndpoint(fd) : endpoint;
  const bound = local?.kind === "tcp" && endpoint.kind === "tcp" ? tcpEndpoint(endpoint.ip, local.port) : endpoint;
  const listener = new LinuxListener(parts, fd, bound, accepted, removeFile, options.acceptFailed);
  if (!parts.loop.add(listener, fd, linux.EPOLLIN)) failed("epoll_ctl");
  return listener;
}

/**
 * Accepts from a socket that listens already, and owns its descriptor from now on. The file of a `unix:` socket stays.
 * @throws {IoError}
 */
export function adoptListener(
  parts: EngineParts,
  fd: number,
  endpoint: Endpoint,
  accepted: (socket: Socket) => void,
  options: ListenOptions,
): LinuxListener {
  const { libc, errno } = parts.kernel;
  // Several threads accept from it, and who comes too late must not wait.
  libc.fcntl(fd, linux.F_SETFL, libc.fcntl(fd, linux.F_GETFL, 0) | linux.O_NONBLOCK);
  libc.fcntl(fd, linux.F_SETFD, linux.FD_CLOEXEC);
  if (endpoint.kind === "tcp") setOptions(parts, fd, endpoint.ip, { ...options, reusePort: false });
  if (libc.listen(fd, LISTEN_BACKLOG) < 0) throw systemError(errno[0] as number, "listen", endpoint);
  const listener = new LinuxListener(parts, fd, endpoint, accepted, () => {}, options.acceptFailed);
  if (!parts.loop.add(listener, fd, linux.EPOLLIN)) throw systemError(errno[0] as number, "epoll_ctl", endpoint);
  return listener;
}

/** Accepted sockets inherit them: none of these is a system call for each client. */
function setOptions({ kernel, options }: EngineParts, fd: number, ip: string, asked: ListenOptions): void {
  const { reusePort = false, userTimeout = 0 } = asked;
  kernel.setOption(fd, linux.SOL_SOCKET, linux.SO_REUSEADDR, 1);
  if (reusePort) kernel.setOption(fd, linux.SOL_SOCKET, linux.SO_REUSEPORT, 1);
  if (ip === "::") kernel.setOption(fd, linux.IPPROTO_IPV6, linux.IPV6_V6ONLY, 0);
  kernel.setOption(fd, linux.IPPROTO_TCP, linux.TCP_NODELAY, 1);
  setKeepalive(kernel, fd);
  if (userTimeout > 0) kernel.setOption(fd, linux.IPPROTO_TCP, linux.TCP_USER_TIMEOUT, userTimeout);
  const seconds = options.deferAccept ?? 0;
  if (seconds > 0) kernel.setOption(fd, linux.IPPROTO_TCP, linux.TCP_DEFER_ACCEPT, seconds);
}

export class LinuxListener implements Listener, Watcher {
  generation = 0;
  readonly endpoint: Endpoint;
  readonly #parts: EngineParts;
  readonly #accepted: (socket: Socket) => void;
  readonly #removeFile: (path: string) => void;
  /** What `Socket.local` is; `undefined` where only the kernel knows at which address a client came. */
  readonly #local: Endpoint | undefined;
  #fd: number;
  #paused = false;
  #cancelRetry: (() => void) | undefined;
  #round = 0;
  readonly #shortage: Shortage;

  constructor(
    parts: EngineParts,
    fd: number,
    endpoint: Endpoint,
    accepted: (socket: Socket) => void,
    removeFile: (path: string) => void,
    tell: ListenOptions["acceptFailed"],
  ) {
    this.#parts = parts;
    this.#fd = fd;
    this.endpoint = endpoint;
    this.#accepted = accepted;
    this.#removeFile = removeFile;
    this.#shortage = new Shortage(parts.loop.timers, tell);
    const anywhere = endpoint.kind === "tcp" && (endpoint.ip === "::" || endpoint.ip === "0.0.0.0");
    this.#local = anywhere ? undefined : endpoint;
  }

  pause(): void {
    if (this.#fd < 0 || this.#paused) return;
    this.#paused = true;
    this.#watch();
  }

  resume(): void {
    if (this.#fd < 0 || !this.#paused) return;
    this.#paused = false;
    this.#watch();
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#cancelRetry?.();
    this.#parts.loop.remove(this.#fd);
    this.#parts.kernel.libc.close(this.#fd);
    this.#fd = -1;
    if (this.endpoint.kind === "unix") this.#removeFile(this.endpoint.path);
  }

  /** Level-triggered: a client that is not accepted now is told again. */
  #watch(): void {
    const listens = !this.#paused && this.#cancelRetry === undefined;
    this.#parts.loop.modify(this.#fd, listens ? linux.EPOLLIN : 0);
  }

  ready(): void {
    const { round } = this.#parts.loop;
    // One for one event spares the call that finds nobody; several, once they come in a row.
    const most = this.#round + 1 === round ? BURST : 1;
    this.#round = round;
    for (let i = 0; i < most && this.#fd >= 0 && !this.#paused; i++) if (!this.#accept()) return;
  }

  faulted(): void {}

  #accept(): boolean {
    const { kernel } = this.#parts;
    const fd = kernel.accept(this.#fd);
    if (fd < 0) return this.#acceptFailed(kernel.errno[0] as number);
    const remote = this.endpoint.kind === "unix" ? UNNAMED : kernel.peer();
    const socket = new LinuxSocket(this.#parts, fd, remote, this.#local, 0);
    try {
      this.#accepted(socket);
    } catch (error) {
      this.#parts.loop.report(error);
      socket.destroy();
    }
    socket.begin();
    return true;
  }

  /** Whether to go on with the next client. */
  #acceptFailed(errno: number): boolean {
    if (errno === linux.EAGAIN) return false;
    if (OF_ONE_CLIENT.includes(errno)) return true;
    this.#cancelRetry = this.#parts.loop.timers.after(RETRY, () => {
      this.#cancelRetry = undefined;
      if (this.#fd >= 0) this.#watch();
    });
    this.#watch();
    this.#shortage.failed(systemError(errno, "accept").code);
    return false;
  }
}

/** Who connects to a `unix:` socket has no path. */
const UNNAMED: Endpoint = { kind: "unix", path: "" };
