/**
 * The system calls of the adapter, over libc, with the memory that they share.
 *
 * Owns: one thread's scratch memory and socket options. It must not keep a descriptor: who opens one owns it. A call
 * that fails returns -1 and leaves `errno`, as libc does.
 */

import { constants } from "node:os";
import type { Endpoint } from "../../src/address.ts";
import type { IoError } from "../../src/errors.ts";
import { endpointText } from "../shared/endpoint.ts";
import * as linux from "./constants.ts";
import type { Address, Libc, NativeBuffer } from "./ffi.ts";
import { addressFamily, readSockaddr, SOCKADDR_SIZE, writeSockaddr } from "./layout.ts";

/** What one `recv` takes at most; a direction that moved more is bulk. */
export const BUFFER_SIZE = 256 * 1024;

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, number]) => [number, name]));
// The two names of 11 and of 95: the usual ones.
NAMES.set(linux.EAGAIN, "EAGAIN").set(linux.EOPNOTSUPP, "EOPNOTSUPP");

/** A failed call as the core sees it. `call` and `endpoint` are for the message. */
export function systemError(errno: number, call: string, endpoint?: Endpoint): IoError {
  const code = NAMES.get(errno) ?? "EUNKNOWN";
  return { code, message: endpoint === undefined ? `${call} ${code}` : `${call} ${code} ${endpointText(endpoint)}` };
}

export class Kernel {
  readonly libc: Libc;
  readonly errno: Int32Array;
  /** What was received, until the next receive. */
  readonly inbound: NativeBuffer;
  /** What is being sent. Apart from `inbound`, because a handler may send while it reads what it was lent. */
  readonly outbound: NativeBuffer;
  readonly #sockaddr: NativeBuffer;
  readonly #length: NativeBuffer;
  readonly #lengthWord: Int32Array;
  readonly #option: NativeBuffer;
  readonly #optionWords: Int32Array;

  constructor(libc: Libc) {
    this.libc = libc;
    this.errno = libc.errno;
    this.inbound = libc.allocate(BUFFER_SIZE);
    this.outbound = libc.allocate(BUFFER_SIZE / 4);
    this.#sockaddr = libc.allocate(SOCKADDR_SIZE);
    this.#length = libc.allocate(8);
    this.#lengthWord = words(this.#length);
    this.#option = libc.allocate(8);
    this.#optionWords = words(this.#option);
  }

  /** A descriptor, or -1. */
  openSocket(endpoint: Endpoint): number {
    return this.libc.socket(addressFamily(endpoint), linux.SOCK_STREAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
  }

  bind(fd: number, endpoint: Endpoint): number {
    return this.#named(this.libc.bind, fd, endpoint);
  }

  /** 0, or -1: `EINPROGRESS` where the answer is still to come. */
  connect(fd: number, endpoint: Endpoint): number {
    return this.#named(this.libc.connect, fd, endpoint);
  }

  #named(call: (fd: number, address: Address, length: number) => number, fd: number, endpoint: Endpoint): number {
    const length = writeSockaddr(this.#sockaddr.bytes, endpoint);
    if (length > 0) return call(fd, this.#sockaddr.address, length);
    this.errno[0] = linux.ENAMETOOLONG;
    return -1;
  }

  /** A descriptor, or -1. `peer()` says whose, until the next call that fills in an address. */
  accept(fd: number): number {
    this.#lengthWord[0] = SOCKADDR_SIZE;
    const flags = linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    return this.libc.accept4(fd, this.#sockaddr.address, this.#length.address, flags);
  }

  peer(): Endpoint {
    return readSockaddr(this.#sockaddr.bytes, this.#lengthWord[0] as number);
  }

  localEndpoint(fd: number): Endpoint | undefined {
    this.#lengthWord[0] = SOCKADDR_SIZE;
    return this.libc.getsockname(fd, this.#sockaddr.address, this.#length.address) < 0 ? undefined : this.peer();
  }

  setOption(fd: number, level: number, name: number, value: number): number {
    this.#optionWords[0] = value;
    return this.libc.setsockopt(fd, level, name, this.#option.address, 4);
  }

  /** The error that a socket holds, which is cleared by asking; 0 for none. */
  takeError(fd: number): number {
    this.#lengthWord[0] = 4;
    const { libc } = this;
    if (libc.getsockopt(fd, linux.SOL_SOCKET, linux.SO_ERROR, this.#option.address, this.#length.address) < 0) {
      return this.errno[0] as number;
    }
    return this.#optionWords[0] as number;
  }

  /** Closes with RST (`SO_LINGER` 0) where the family has one. */
  reset(fd: number): void {
    this.#optionWords[0] = 1;
    this.#optionWords[1] = 0;
    this.libc.setsockopt(fd, linux.SOL_SOCKET, linux.SO_LINGER, this.#option.address, 8);
    this.libc.close(fd);
  }

  /** Copies into `outbound` and sends; the count, or -1. Takes what fits of `bytes`. */
  send(fd: number, bytes: Uint8Array): number {
    const { outbound } = this;
    const part = bytes.length > outbound.bytes.length ? bytes.subarray(0, outbound.bytes.length) : bytes;
    outbound.bytes.set(part);
    return this.libc.write(fd, outbound.address, part.length);
  }
}

export function words({ bytes }: NativeBuffer): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
}
