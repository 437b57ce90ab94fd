/**
 * Any runtime's error as the core's `IoError`.
 *
 * Owns: the mapping to the system's names. It must not lose the runtime's own message.
 */

import type { IoError } from "../../src/errors.ts";

/** Deno's error classes that come without a code, and names Node and c-ares use for the same thing. */
const CODES: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  AbortError: "ECANCELED",
  AlreadyExists: "EEXIST",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  Interrupted: "EINTR",
  IsADirectory: "EISDIR",
  NetworkUnreachable: "ENETUNREACH",
  NotADirectory: "ENOTDIR",
  // Deno's own permission, not the system's: its message names the flag that is missing.
  NotCapable: "ENOTCAPABLE",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  RangeError: "EINVAL",
  TimedOut: "ETIMEDOUT",
};

/** `ERR_…` are Node's own, for misuse. */
const SYSTEM_NAME = /^E(?!RR_)[A-Z0-9_]+$/;

function codeOfName(name: string): string {
  return (Object.hasOwn(CODES, name) ? CODES[name] : undefined) ?? "EUNKNOWN";
}

/**
 * The error with the system's name: from `code` where that is one, else from the error's class, else `EUNKNOWN`.
 * Never throws; takes whatever was thrown.
 */
export function toIoError(thrown: unknown): IoError {
  if (typeof thrown !== "object" || thrown === null) return { code: "EUNKNOWN", message: String(thrown) };
  const { code, name, message } = thrown as { code?: unknown; name?: unknown; message?: unknown };
  const text = typeof message === "string" && message !== "" ? message : String(code ?? name);
  if (typeof code === "string" && SYSTEM_NAME.test(code)) return { code, message: text };
  return { code: codeOfName(String(name)), message: text };
}
