/**
 * The adapter `linux`: sockets by system calls, and the loop that drives them.
 *
 * Owns: the putting together of one thread's engine. Who calls `poll` decides how it lives with the thread's own
 * loop: `turns.ts`.
 */

import { lstatSync, unlinkSync } from "node:fs";
import type { Adapter, Capabilities, Listener, ListenOptions, Socket } from "../../src/adapter.ts";
import type { Endpoint } from "../../src/address.ts";
import { joinListeners } from "../shared/joined_listeners.ts";
import { Pacer } from "../shared/pacer.ts";
import { bindOverStale, type UnixPath } from "../shared/unix_path.ts";
import { LinuxConnecting } from "./connecting.ts";
import { EPOLLIN, O_CLOEXEC, O_NONBLOCK } from "./constants.ts";
import type { Libc, NativeBuffer } from "./ffi.ts";
import { Grace } from "./grace.ts";
import { Kernel, systemError } from "./kernel.ts";
import { adoptListener, openListener } from "./listener.ts";
import { Loop, type Watcher } from "./loop.ts";
import type { EngineParts, LinuxOptions } from "./parts.ts";
import { PipePool } from "./pipes.ts";
import { LinuxRelay } from "./relay.ts";
import { LinuxSocket } from "./socket.ts";

/** One thread's engine. */
export interface LinuxEngine {
  readonly adapter: Adapter;
  /** For `createWaker`: any thread of the process may write to it. */
  readonly wakeDescriptor: number;
  /** Something is open or timed: sockets, listeners, timers. */
  readonly isActive: boolean;
  /** Called within `poll` after a wake. */
  onWake: () => void;
  /** Called when something new is to be done while `poll` is not running: it should be called soon. */
  onNudge: () => void;
  /**
   * Waits for events, up to `timeout` ms (-1: until there are some), and does what they, due timers and
   * deferred work ask for. Returns 0 where there was nothing to do but timers.
   */
  poll(timeout: number): number;
  /** Makes a `poll` return that sleeps, or the next one not sleep. From another thread: `createWaker`. */
  wake(): void;
  /** Closes every descriptor. Nothing is told; nothing of the engine may be used afterwards. */
  close(): void;
  /** Pipes that exist, for tests and metrics. */
  readonly pipes: { readonly open: number; readonly atRest: number };
}

/** How a thread wakes others: a function of their engines' `wakeDescriptor`. `libc` is the calling thread's. */
export function createWaker(libc: Libc): (wakeDescriptor: number) => void {
  const one = libc.allocate(8);
  one.bytes[0] = 1;
  return (wakeDescriptor) => void libc.write(wakeDescriptor, one.address, 8);
}

class WakeWatcher implements Watcher {
  generation = 0;
  readonly fd: number;
  readonly #libc: Libc;
  readonly #count: NativeBuffer;
  woken: () => void = () => {};

  /** @throws {IoError} where no descriptor is left. */
  constructor(kernel: Kernel) {
    this.#libc = kernel.libc;
    this.#count = kernel.libc.allocate(8);
    this.fd = kernel.libc.eventfd(0, O_CLOEXEC | O_NONBLOCK);
    if (this.fd < 0) throw systemError(kernel.errno[0] as number, "eventfd");
  }

  ready(): void {
    this.#libc.read(this.fd, this.#count.address, 8);
    this.woken();
  }

  faulted(): void {}
}

const files: UnixPath = {
  isSocket: (path) => lstatSync(path).isSocket(),
  remove: unlinkSync,
};

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or not ours to remove.
  }
}

export const LINUX_CAPABILITIES: Capabilities = {
  reset: true,
  detectsReset: true,
  pauseAccepts: true,
  reusePort: true,
  bind: true,
  fastOpen: true,
  userTimeout: true,
  adopts: true,
};

/** Sockets by system calls. */
class LinuxAdapter implements Adapter {
  readonly name = "linux";
  readonly capabilities = LINUX_CAPABILITIES;
  readonly abandonedConnects = 0;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  get clock(): Adapter["clock"] {
    return this.#parts.loop.timers;
  }

  async listen(endpoint: Endpoint, accepted: (socket: Socket) => void, options: ListenOptions = {}): Promise<Listener> {
    if (options.adopt !== undefined) {
      return joinListeners(options.adopt.map((fd) => adoptListener(this.#parts, fd, endpoint, accepted, options)));
    }
    const bind = (): Listener => openListener(this.#parts, endpoint, accepted, removeFile, options);
    return await bindOverStale({ connect: (to, callbacks) => this.#probe(to, callbacks) }, endpoint, files, bind);
  }

  connect: Adapter["connect"] = (endpoint, callbacks, options = {}) =>
    new LinuxConnecting(this.#parts, endpoint, callbacks, options);

  /** A connect to a `unix:` socket is answered at once, so that binding over a stale file needs no loop. */
  #probe: Adapter["connect"] = (endpoint, callbacks) => {
    const { kernel } = this.#parts;
    const fd = kernel.openSocket(endpoint);
    const failed = fd < 0 || kernel.connect(fd, endpoint) < 0;
    const error = systemError(kernel.errno[0] as number, "connect", endpoint);
    if (failed) callbacks.failed(error);
    else callbacks.connected(new LinuxSocket(this.#parts, fd, endpoint, undefined, 0));
    if (failed && fd >= 0) kernel.libc.close(fd);
    return { cancel() {} };
  };

  /** @throws {TypeError} for another adapter's sockets. */
  relay: Adapter["relay"] = (client, server, options, owner) => {
    if (!(client instanceof LinuxSocket && server instanceof LinuxSocket)) {
      throw new TypeError("Cannot relay: the sockets belong to another adapter");
    }
    return new LinuxRelay(this.#parts, client, server, options, owner);
  };
}

/**
 * Makes an engine for the thread that opened `libc`.
 * @throws {Error} where the system gives no epoll instance or eventfd.
 */
export function createLinuxAdapter(libc: Libc, options: LinuxOptions = {}): LinuxEngine {
  const kernel = new Kernel(libc);
  const loop = new Loop(kernel, options.fault ?? (() => {}));
  const pipes = new PipePool(libc, loop.timers);
  const grace = new Grace(kernel, loop.timers);
  const pacer = new Pacer(loop.timers);
  const waker = new WakeWatcher(kernel);
  loop.add(waker, waker.fd, EPOLLIN);
  const wake = createWaker(libc);
  return {
    adapter: new LinuxAdapter({ loop, kernel, pipes, grace, pacer, options }),
    wakeDescriptor: waker.fd,
    pipes,
    get isActive() {
      return loop.watched > 1 || loop.timers.size > 0 || loop.pending;
    },
    get onWake() {
      return waker.woken;
    },
    set onWake(woken) {
      waker.woken = woken;
    },
    get onNudge() {
      return loop.nudged;
    },
    set onNudge(nudged) {
      loop.nudged = nudged;
    },
    poll: (timeout) => loop.poll(timeout),
    wake: () => wake(waker.fd),
    close() {
      grace.stop();
      pacer.stop();
      pipes.close();
      loop.close();
    },
  };
}
