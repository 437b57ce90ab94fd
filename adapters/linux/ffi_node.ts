/**
 * libc through `node:ffi`.
 *
 * Owns: Node's form of the seam: pointers are bigints, made once for each buffer; and the warning that the module is
 * experimental, which is for us and not for the user.
 */

import process from "node:process";
import { type Address, LIBC_PATH, type Libc, type LibcFunctions, loadFailure, NoLibcError, SIGNATURES } from "./ffi.ts";

// biome-ignore lint/suspicious/noExplicitAny: the types of node:ffi are not published yet
type Any = any;

/** Where the module had its present form first. */
const FIRST_MAJOR = 26;
const FIRST_MINOR = 10;

/** @throws {NoLibcError} */
export function openNodeLibc(arch: Libc["arch"]): Libc {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < FIRST_MAJOR || (major === FIRST_MAJOR && minor < FIRST_MINOR)) {
    throw new NoLibcError(`node:ffi needs Node ${FIRST_MAJOR}.${FIRST_MINOR}, this is ${process.versions.node}`);
  }
  const ffi = loadQuietly();
  const definitions: Any = { __errno_location: { arguments: [], return: "pointer" } };
  for (const [name, types] of Object.entries(SIGNATURES)) definitions[name] = { arguments: types, return: "i32" };
  let functions: Any;
  try {
    functions = ffi.dlopen(LIBC_PATH, definitions).functions;
  } catch (error) {
    throw loadFailure(error);
  }
  return {
    ...(functions as LibcFunctions),
    runtime: "node",
    arch,
    NULL: 0n as Any as Address,
    errno: new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false)),
    allocate(size) {
      const bytes = new Uint8Array(new ArrayBuffer(size));
      return { bytes, address: ffi.getRawPointer(bytes) };
    },
  };
}

/** The module; of the warnings that loading it emits, the one that it is experimental is dropped. */
function loadQuietly(): Any {
  const { emitWarning } = process;
  process.emitWarning = ((warning: Any, ...rest: Any[]) => {
    if (rest[0] !== "ExperimentalWarning" || !/\bFFI\b/.test(String(warning))) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  }) as typeof emitWarning;
  try {
    const ffi = process.getBuiltinModule("node:ffi");
    if (ffi === undefined) throw new NoLibcError("this Node has no node:ffi (--no-experimental-ffi, or built without)");
    return ffi;
  } catch (error) {
    if (error instanceof NoLibcError) throw error;
    throw new NoLibcError(`node:ffi cannot be loaded: ${(error as Error).message}`);
  } finally {
    process.emitWarning = emitWarning;
  }
}
