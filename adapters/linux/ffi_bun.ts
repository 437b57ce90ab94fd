/**
 * libc through `bun:ffi`.
 *
 * Owns: Bun's form of the seam: pointers are numbers. It decides nothing else.
 */

import { type Address, LIBC_PATH, type Libc, type LibcFunctions, loadFailure, NoLibcError, SIGNATURES } from "./ffi.ts";

// biome-ignore lint/suspicious/noExplicitAny: the types of bun:ffi are not there for the other runtimes
type Any = any;

/** Not a literal, so that neither a bundler nor another runtime looks for it. */
const MODULE: string = "bun:ffi";

/** @throws {NoLibcError} as the rejection. */
export async function openBunLibc(arch: Libc["arch"]): Promise<Libc> {
  const ffi: Any = await import(MODULE).catch(() => {
    throw new NoLibcError("this Bun has no bun:ffi");
  });
  const definitions: Record<string, Any> = { __errno_location: { args: [], returns: "ptr" } };
  for (const [name, types] of Object.entries(SIGNATURES)) {
    definitions[name] = { args: types.map((type) => (type === "pointer" ? "ptr" : type)), returns: "i32" };
  }
  let symbols: Any;
  try {
    symbols = ffi.dlopen(LIBC_PATH, definitions).symbols;
  } catch (error) {
    throw loadFailure(error);
  }
  return {
    ...(symbols as LibcFunctions),
    runtime: "bun",
    arch,
    NULL: null as Any as Address,
    errno: new Int32Array(ffi.toArrayBuffer(symbols.__errno_location(), 0, 4)),
    allocate(size) {
      const bytes = new Uint8Array(new ArrayBuffer(size));
      return { bytes, address: ffi.ptr(bytes) };
    },
  };
}
