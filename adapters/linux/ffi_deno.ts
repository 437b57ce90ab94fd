/**
 * libc through `Deno.dlopen`.
 *
 * Owns: Deno's form of the seam: pointers are objects, made once for each buffer, and the permission.
 */

import { type Address, LIBC_PATH, type Libc, type LibcFunctions, loadFailure, NoLibcError, SIGNATURES } from "./ffi.ts";

// biome-ignore lint/suspicious/noExplicitAny: the types of Deno are not there for the other runtimes
type Any = any;

/** @throws {NoLibcError} Asking the user for the permission is not the program's to do: it says what is missing. */
export function openDenoLibc(arch: Libc["arch"]): Libc {
  const { Deno }: Any = globalThis;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new NoLibcError("Deno was not given --allow-ffi");
  }
  const definitions: Any = { __errno_location: { parameters: [], result: "pointer" } };
  for (const [name, types] of Object.entries(SIGNATURES)) definitions[name] = { parameters: types, result: "i32" };
  let symbols: Any;
  try {
    symbols = Deno.dlopen(LIBC_PATH, definitions).symbols;
  } catch (error) {
    throw loadFailure(error);
  }
  return {
    ...(symbols as LibcFunctions),
    runtime: "deno",
    arch,
    NULL: null as Any as Address,
    errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(symbols.__errno_location(), 4)),
    allocate(size) {
      const bytes = new Uint8Array(new ArrayBuffer(size));
      return { bytes, address: Deno.UnsafePointer.of(bytes) };
    },
  };
}
