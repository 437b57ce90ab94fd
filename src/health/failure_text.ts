/**
 * Why a probe failed, in a few words for the log.
 *
 * Owns: the words for the system's codes. A TLS library's message may hold what the server sent: it is escaped and cut.
 */

import type { IoError } from "../errors.ts";
import { escapeText } from "../log/escape.ts";
import type { ProbeStage } from "../probe.ts";

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the server closed the connection",
  EPIPE: "the server closed the connection",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ENOENT: "there is no such socket",
  ENOTFOUND: "the name has no address",
  ETIMEOUT: "the resolver did not answer",
  ESERVFAIL: "the resolver failed",
  EACCES: "permission denied",
  EMFILE: "certless has no descriptor left",
  ENFILE: "the system has no descriptor left",
};

const STAGES: Readonly<Record<ProbeStage, string>> = { connect: "", handshake: " (TLS handshake)", exchange: "" };
const LONGEST = 160;

/** One phrase, without a full stop. */
export function failureText({ code, message }: IoError, stage: ProbeStage, timeout: number): string {
  if (code === "ETIMEDOUT") return `no answer within ${timeout} ms${STAGES[stage]}`;
  const known = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  if (known !== undefined) return `${known}${STAGES[stage]}`;
  // OpenSSL's and BoringSSL's are `error:NUMBER:LIBRARY:FUNCTION:REASON:…`; the code has the reason as well.
  const text = /^ERR_SSL_(\w+)$/.exec(code)?.[1]?.toLowerCase().replaceAll("_", " ") ?? message.split("\n")[0] ?? code;
  return `${escapeText(text.slice(0, LONGEST))}${STAGES[stage]}`;
}
