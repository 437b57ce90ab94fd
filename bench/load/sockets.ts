/**
 * The load's sockets: libc through certless's own FFI seam, so that making load costs as little as can be.
 *
 * Owns: the constants of Linux, the structures and the memory that calls need. IPv4 over loopback alone: no more is
 * measured. A result below 0 says that it failed, as in C. No TCP_NODELAY: nobody here sends twice without an answer
 * in between but in bulk, so that Nagle's algorithm never waits, and each connection costs two calls less.
 */

import { type NativeBuffer, openLibc } from "../../adapters/linux/ffi.ts";
import corpus from "../../test/fixtures/client_hellos.json" with { type: "json" };

export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLL_ADD = 1;
export const EPOLL_MODIFY = 3;

/** Most that one call sends or discards. */
export const BULK_BYTES = 256 * 1024;

const [AF_INET, SOCK_STREAM, SOCK_NONBLOCK, CLOEXEC] = [2, 1, 0o4000, 0o2000000];
const [IPPROTO_TCP, TCP_DEFER_ACCEPT] = [6, 9];
const [MSG_TRUNC, MSG_NOSIGNAL] = [0x20, 0x4000];
const [EINTR, EAGAIN, EINPROGRESS] = [4, 11, 115];
const SOCKADDR_BYTES = 16;
const BACKLOG = 4096;
/** Seconds after which the kernel hands over a connection that says nothing. */
const DEFER_SECONDS = 5;
/** A real client's. */
const HELLO = "real-curl-default";

const libc = await openLibc();
/** What is sent does not matter, and what comes is discarded by the kernel: one buffer serves all. */
const bulk = libc.allocate(BULK_BYTES);
const hello = helloOf(HELLO);
export const HELLO_BYTES = hello.bytes.length;
const addresses = new Map<number, NativeBuffer>();

/** A socket whose connect is under way, or has failed: the first send tells. @throws {Error} without a descriptor. */
export function connectToLoopback(port: number): number {
  const descriptor = newSocket();
  const address = addresses.get(port) ?? loopback(port);
  addresses.set(port, address);
  libc.connect(descriptor, address.address, SOCKADDR_BYTES);
  return descriptor;
}

/** Takes a free port. Connections are handed over with their first bytes (TCP_DEFER_ACCEPT). @throws {Error} */
export function listenOnLoopback(): { descriptor: number; port: number } {
  const descriptor = newSocket();
  const address = loopback(0);
  const seconds = integers(DEFER_SECONDS);
  const length = integers(SOCKADDR_BYTES);
  const failed =
    libc.bind(descriptor, address.address, SOCKADDR_BYTES) < 0 ||
    libc.setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds.address, 4) < 0 ||
    libc.listen(descriptor, BACKLOG) < 0 ||
    libc.getsockname(descriptor, address.address, length.address) < 0;
  if (failed) throw new Error(`Cannot listen on 127.0.0.1: errno ${libc.errno[0]}`);
  return { descriptor, port: new DataView(address.bytes.buffer).getUint16(2) };
}

/** The next connection, or a number below 0. */
export function acceptFrom(listener: number): number {
  return libc.accept4(listener, libc.NULL, libc.NULL, SOCK_NONBLOCK | CLOEXEC);
}

/** Receives up to `bytes` without copying them; 0 is the end. */
export function discard(descriptor: number, bytes: number): number {
  return libc.recv(descriptor, bulk.address, bytes, MSG_TRUNC);
}

/** Sends up to `bytes` of whatever. */
export function sendBulk(descriptor: number, bytes: number): number {
  return libc.send(descriptor, bulk.address, bytes, MSG_NOSIGNAL);
}

export function sendHello(descriptor: number): number {
  return libc.send(descriptor, hello.address, HELLO_BYTES, MSG_NOSIGNAL);
}

/** Whether the call that has just failed would go later. */
export function isAgain(): boolean {
  const errno = libc.errno[0];
  return errno === EAGAIN || errno === EINPROGRESS || errno === EINTR;
}

export function closeDescriptor(descriptor: number): void {
  libc.close(descriptor);
}

export interface Epoll {
  control(operation: number, descriptor: number, events: number): void;
  /** Waits up to so many milliseconds; returns how many events there are. */
  wait(milliseconds: number): number;
  descriptor(index: number): number;
  events(index: number): number;
}

const MOST_EVENTS = 256;

/** `struct epoll_event` is packed on x86-64 alone; in 32-bit words: events, then the data, whose first is used. */
export function createEpoll(): Epoll {
  const [size, data] = libc.arch === "x64" ? [3, 1] : [4, 2];
  const epoll = libc.epoll_create1(CLOEXEC);
  const wanted = libc.allocate(size * 4);
  const found = libc.allocate(size * 4 * MOST_EVENTS);
  const wantedWords = new Uint32Array(wanted.bytes.buffer);
  const foundWords = new Uint32Array(found.bytes.buffer);
  return {
    control(operation, descriptor, events) {
      wantedWords[0] = events;
      wantedWords[data] = descriptor;
      libc.epoll_ctl(epoll, operation, descriptor, wanted.address);
    },
    wait: (milliseconds) => libc.epoll_wait(epoll, found.address, MOST_EVENTS, milliseconds),
    descriptor: (index) => foundWords[index * size + data]!,
    events: (index) => foundWords[index * size]!,
  };
}

function newSocket(): number {
  const descriptor = libc.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | CLOEXEC, 0);
  if (descriptor < 0) throw new Error(`Cannot open a socket: errno ${libc.errno[0]}`);
  return descriptor;
}

/** `struct sockaddr_in` of 127.0.0.1: the family in the machine's byte order, the port in the network's. */
function loopback(port: number): NativeBuffer {
  const memory = libc.allocate(SOCKADDR_BYTES);
  const view = new DataView(memory.bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  memory.bytes.set([127, 0, 0, 1], 4);
  return memory;
}

function integers(...values: number[]): NativeBuffer {
  const memory = libc.allocate(values.length * 4);
  new Int32Array(memory.bytes.buffer).set(values);
  return memory;
}

function helloOf(name: string): NativeBuffer {
  const found = corpus.cases.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`Cannot find the hello "${name}" among the fixtures`);
  const bytes = Buffer.from(found.chunks.join(""), "hex");
  const memory = libc.allocate(bytes.length);
  memory.bytes.set(bytes);
  return memory;
}
