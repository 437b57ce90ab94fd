/**
 * Failures of a connect that say nothing of the server.
 *
 * Owns: the list. A server must not be passed over because this machine had no descriptor left to reach it with.
 */

/** Descriptors of the process, descriptors of the system, buffers, memory: none was left here. */
const OWN: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Whether a connect that failed with `code` never left this machine. */
export function isOwnFailure(code: string): boolean {
  return OWN.has(code);
}
