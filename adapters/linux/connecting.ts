/**
 * A connect that is under way.
 *
 * Owns: its descriptor, until it is open or given up.
 */

import type { ConnectCallbacks, Connecting, ConnectOptions } from "../../src/adapter.ts";
import type { Endpoint, TcpEndpoint } from "../../src/address.ts";
import { localAddress } from "../shared/endpoint.ts";
import * as linux from "./constants.ts";
import { systemError } from "./kernel.ts";
import type { Deferred, Watcher } from "./loop.ts";
import type { EngineParts } from "./parts.ts";
import { INTEREST, INTEREST_OUT, LinuxSocket } from "./socket.ts";

export class LinuxConnecting implements Connecting, Watcher, Deferred {
  generation = 0;
  readonly #parts: EngineParts;
  readonly #endpoint: Endpoint;
  readonly #callbacks: ConnectCallbacks;
  /** -1 once it is given up, failed, or the socket's. */
  #fd: number;
  /** Why it failed at once; told only after `connect` has returned, as is that it is open. */
  #errno = 0;
  #settled = false;
  /** What the descriptor is watched for; without room to send where it is open already. */
  #interest = INTEREST_OUT;

  constructor(parts: EngineParts, endpoint: Endpoint, callbacks: ConnectCallbacks, options: ConnectOptions) {
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#callbacks = callbacks;
    this.#fd = parts.kernel.openSocket(endpoint);
    if (this.#fd >= 0 && this.#start(options)) return;
    this.#errno = parts.kernel.errno[0] as number;
    parts.loop.soon(this);
  }

  /** False where it failed at once; `errno` says why. */
  #start(options: ConnectOptions): boolean {
    const { loop } = this.#parts;
    if (this.#endpoint.kind === "tcp" && !this.#prepare(this.#endpoint, options)) return false;
    const errno = this.#connect();
    if (errno === linux.EINPROGRESS) return loop.add(this, this.#fd, INTEREST_OUT);
    this.#interest = INTEREST;
    if (errno !== 0 || !loop.add(this, this.#fd, INTEREST)) return false;
    loop.soon(this);
    return true;
  }

  /** 0 where it is open, `EINPROGRESS`, or why it failed. */
  #connect(): number {
    const { kernel } = this.#parts;
    if (kernel.connect(this.#fd, this.#endpoint) === 0) return 0;
    const errno = kernel.errno[0] as number;
    if (errno !== linux.EINPROGRESS || !isOnThisMachine(this.#endpoint)) return errno;
    // The handshake was over before the call returned, as a second one says: no event need be waited for.
    if (kernel.connect(this.#fd, this.#endpoint) === 0) return 0;
    return kernel.errno[0] === linux.EALREADY ? linux.EINPROGRESS : (kernel.errno[0] as number);
  }

  #prepare(endpoint: TcpEndpoint, { bind, fastOpen = false, userTimeout = 0 }: ConnectOptions): boolean {
    const { kernel, options } = this.#parts;
    // On a socket that connects it means that the ACK which ends the handshake waits for the first bytes.
    if (options.speaksFirst === true) kernel.setOption(this.#fd, linux.IPPROTO_TCP, linux.TCP_DEFER_ACCEPT, 1);
    if (fastOpen) kernel.setOption(this.#fd, linux.IPPROTO_TCP, linux.TCP_FASTOPEN_CONNECT, 1);
    if (userTimeout > 0) kernel.setOption(this.#fd, linux.IPPROTO_TCP, linux.TCP_USER_TIMEOUT, userTimeout);
    const source = localAddress(endpoint, bind);
    if (source === undefined) return true;
    kernel.setOption(this.#fd, linux.IPPROTO_IP, linux.IP_BIND_ADDRESS_NO_PORT, 1);
    return kernel.bind(this.#fd, { kind: "tcp", ip: source, port: 0 }) === 0;
  }

  cancel(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#close();
  }

  ready(events: number): void {
    const broken = (events & (linux.EPOLLERR | linux.EPOLLHUP)) !== 0;
    const errno = broken ? this.#parts.kernel.takeError(this.#fd) : 0;
    if (errno !== 0) this.#fail(errno);
    // Events of one that is open come once: they must not be lost because `runDeferred` is still to come.
    else if (this.#interest === INTEREST || (events & linux.EPOLLOUT) !== 0) this.#open(events);
  }

  runDeferred(): void {
    if (this.#errno === 0) this.#open(0);
    else this.#fail(this.#errno);
  }

  faulted(): void {
    this.cancel();
  }

  #open(events: number): void {
    if (this.#settled) return;
    this.#settled = true;
    const socket = new LinuxSocket(this.#parts, this.#fd, this.#endpoint, undefined, this.#interest);
    this.#parts.loop.hand(this.#fd, socket);
    this.#fd = -1;
    socket.noteEvents(events);
    try {
      this.#callbacks.connected(socket);
    } catch (error) {
      this.#parts.loop.report(error);
      socket.destroy();
    }
  }

  #fail(errno: number): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#close();
    this.#callbacks.failed(systemError(errno, "connect", this.#endpoint));
  }

  #close(): void {
    if (this.#fd < 0) return;
    this.#parts.loop.forget(this.#fd);
    this.#parts.kernel.libc.close(this.#fd);
    this.#fd = -1;
  }
}

/** Its handshakes do not wait for a network. */
function isOnThisMachine(endpoint: Endpoint): boolean {
  return endpoint.kind === "tcp" && (endpoint.ip.startsWith("127.") || endpoint.ip === "::1");
}
