/**
 * The one seam to libc: a table of signatures, and the typed functions that each runtime's FFI makes of it.
 *
 * Owns: which functions there are, the choice of the FFI, and the reason why there is none. It must not interpret a
 * result: -1 comes back as it is, and `errno[0]` says why until the next call of the same thread.
 *
 * Sizes cross as 32-bit numbers, which is the fastest encoding everywhere; none here is over 1 GiB. Pointers are
 * opaque, because each runtime has its own fastest form of one.
 */

import process from "node:process";

/** A pointer, in the form that the runtime's FFI takes fastest. Made by `allocate` only. */
export interface Address {
  readonly brand: unique symbol;
}

/** Memory that does not move, for as long as this object is kept. */
export interface NativeBuffer {
  readonly bytes: Uint8Array;
  readonly address: Address;
}

const INT = "i32";
const POINTER = "pointer";

/** Parameters by function; all of them return a C `int`, or a `ssize_t` that fits one. */
export const SIGNATURES = {
  accept4: [INT, POINTER, POINTER, INT],
  bind: [INT, POINTER, INT],
  clock_gettime: [INT, POINTER],
  close: [INT],
  connect: [INT, POINTER, INT],
  epoll_create1: [INT],
  epoll_ctl: [INT, INT, INT, POINTER],
  epoll_wait: [INT, POINTER, INT, INT],
  eventfd: [INT, INT],
  fcntl: [INT, INT, INT],
  getpeername: [INT, POINTER, POINTER],
  getsockname: [INT, POINTER, POINTER],
  getsockopt: [INT, INT, INT, POINTER, POINTER],
  listen: [INT, INT],
  pipe2: [POINTER, INT],
  read: [INT, POINTER, INT],
  recv: [INT, POINTER, INT, INT],
  send: [INT, POINTER, INT, INT],
  setgroups: [INT, POINTER],
  setsockopt: [INT, INT, INT, POINTER, INT],
  shutdown: [INT, INT],
  socket: [INT, INT, INT],
  splice: [INT, POINTER, INT, POINTER, INT, INT],
  syscall: [INT, INT, INT, INT],
  unlink: [POINTER],
  write: [INT, POINTER, INT],
} as const;

type Signatures = typeof SIGNATURES;
type Values<Types extends readonly string[]> = {
  -readonly [Index in keyof Types]: Types[Index] extends typeof POINTER ? Address : number;
};

export type LibcFunctions = {
  readonly [Name in keyof Signatures]: (...values: Values<Signatures[Name]>) => number;
};

/** libc for one thread: `errno` is that of the thread that opened it. */
export interface Libc extends LibcFunctions {
  readonly runtime: "bun" | "deno" | "node";
  readonly arch: "x64" | "arm64";
  /** The null pointer. */
  readonly NULL: Address;
  /** `errno[0]`, to be read at once after the call that failed. */
  readonly errno: Int32Array;
  /** Zeroed memory. */
  allocate(size: number): NativeBuffer;
}

/** Why libc cannot be called here. */
export class NoLibcError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "NoLibcError";
  }
}

/**
 * Opens libc for the thread that calls.
 * @throws {NoLibcError} as the rejection, with a phrase that says why: `Deno has no --allow-ffi`, …
 */
export async function openLibc(): Promise<Libc> {
  if (process.platform !== "linux") throw new NoLibcError(`this is ${process.platform}, not Linux`);
  const { arch } = process;
  if (arch !== "x64" && arch !== "arm64") throw new NoLibcError(`the processor is ${arch}, not x64 or arm64`);
  if ("Bun" in globalThis) return await (await import("./ffi_bun.ts")).openBunLibc(arch);
  if ("Deno" in globalThis) return (await import("./ffi_deno.ts")).openDenoLibc(arch);
  return (await import("./ffi_node.ts")).openNodeLibc(arch);
}

/** glibc's name; on musl it is not there, and its structures would differ in places. */
export const LIBC_PATH = "libc.so.6";

/** For the reason: what a failed `dlopen` threw, as one phrase. */
export function loadFailure(thrown: unknown): NoLibcError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new NoLibcError(`${LIBC_PATH} (glibc) cannot be loaded: ${message.split("\n", 1)[0]}`);
}
