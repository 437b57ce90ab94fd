/**
 * A server's certificate as `node:tls` shows it, cut down to what anyone asks.
 *
 * Owns: the three runtimes' common ground of `getPeerCertificate`, and bounds: what a server presents is hostile.
 */

import { checkServerIdentity, type PeerCertificate, type TLSSocket } from "node:tls";
import type { Certificate } from "../../src/probe.ts";

const MOST_NAMES = { usually: 20, closely: 500 } as const;
const LONGEST_TEXT = 200;

/** The certificate of a finished handshake, looked at for `serverName`; undefined where the server showed none. */
export function readCertificate(
  socket: TLSSocket,
  serverName: string | undefined,
  closely = false,
): Certificate | undefined {
  const peer: Partial<PeerCertificate> | null = socket.getPeerCertificate();
  if (!peer?.raw) return undefined;
  const names = namesOf(peer.subjectaltname, closely ? MOST_NAMES.closely : MOST_NAMES.usually);
  return {
    subject: commonName(peer.subject),
    names,
    issuer: commonName(peer.issuer),
    notBefore: Date.parse(peer.valid_from ?? ""),
    notAfter: Date.parse(peer.valid_to ?? ""),
    fingerprint: (peer.fingerprint256 ?? "").replaceAll(":", "").toLowerCase(),
    mismatch: serverName === undefined ? undefined : mismatch(peer as PeerCertificate, serverName, names),
    untrusted: socket.authorized ? undefined : codeOf(socket.authorizationError),
  };
}

/** Only for people to read: matching is the runtime's. */
function namesOf(alternatives: string | undefined, most: number): string[] {
  const entries = (alternatives ?? "").slice(0, most * LONGEST_TEXT).split(", ");
  return entries
    .map((entry) => cut(entry.replace(/^(?:DNS|IP Address):/, "")))
    .filter((name) => name !== "")
    .slice(0, most);
}

function mismatch(peer: PeerCertificate, name: string, names: readonly string[]): string | undefined {
  // RFC 9525 §6.3: the common name is no longer looked at, which the runtimes still do where there is nothing else.
  if (!peer.subjectaltname) return "it names no host in a subjectAltName";
  if (checkServerIdentity(name, peer) === undefined) return undefined;
  const few = names.slice(0, 3).join(", ");
  return `it is for ${few}${names.length > 3 ? " and others" : ""}`;
}

function commonName(name: PeerCertificate["subject"] | undefined): string {
  const { CN, O, OU } = (name ?? {}) as Partial<Record<string, string | string[]>>;
  return cut([CN ?? O ?? OU ?? ""].flat().join(", "));
}

function codeOf(error: unknown): string {
  if (error instanceof Error) return (error as { code?: string }).code ?? cut(error.message);
  return cut(String(error ?? "unknown"));
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
