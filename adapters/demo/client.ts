/**
 * One real HTTPS request with certificate checks on: the demo's and the tests' "developer".
 *
 * Owns: the TLS handshake and what can be said about how it went. It trusts the given authority and
 * nothing else, and it never turns a check off.
 */

import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";

export interface HttpsGet {
  /** Where to connect: the proxy, not the name's own address. */
  readonly host: string;
  readonly port: number;
  /** Goes into the ClientHello (RFC 6066 §3) and the Host header, and must stand in the certificate. */
  readonly serverName: string;
  readonly path?: string;
  /** PEM of the one authority that is trusted. */
  readonly ca: string;
  /** Milliseconds for the whole request; 10,000 if absent. */
  readonly timeout?: number;
}

/** What a client saw: an answer whose certificate was verified, or how the attempt failed. */
export type HttpsOutcome = HttpsAnswer | HttpsFailure;

export interface HttpsAnswer {
  readonly ok: true;
  readonly status: number;
  readonly body: string;
  readonly certificate: CertificateSummary;
}

export interface HttpsFailure {
  readonly ok: false;
  /** The runtime's own code, or `EUNKNOWN`. */
  readonly code: string;
  readonly message: string;
  /** Name of the TLS alert the other side sent (RFC 8446 §6), `unrecognized_name` for one, if it sent one. */
  readonly alert: string | undefined;
}

/** Who presented itself. */
export interface CertificateSummary {
  /** Common name of the subject. */
  readonly subject: string;
  /** Common name of the authority that signed. */
  readonly issuer: string;
  /** The names it is good for; IP addresses as the runtime writes them. */
  readonly names: readonly string[];
}

/** Makes one GET on a connection of its own. Never rejects: a failure is an outcome. */
export function httpsGet(options: HttpsGet): Promise<HttpsOutcome> {
  return new Promise((resolve) => {
    const request = httpsRequest({
      host: options.host,
      port: options.port,
      path: options.path ?? "/",
      headers: { host: options.serverName, connection: "close" },
      // An IP address must not be sent as a server name; it is then checked as the host.
      ...(isIP(options.serverName) === 0 ? { servername: options.serverName } : {}),
      ca: options.ca,
      agent: false,
    });
    const timer = setTimeout(() => request.destroy(timedOut(options)), options.timeout ?? 10_000);
    const settle = (outcome: HttpsOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    request.on("error", (error) => settle(failure(error)));
    request.on("response", (response) => {
      // Taken now: at the end of the response the socket may be gone.
      const certificate = summary((response.socket as TLSSocket).getPeerCertificate());
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("error", (error) => settle(failure(error)));
      response.on("end", () => settle({ ok: true, status: response.statusCode ?? 0, body, certificate }));
    });
    request.end();
  });
}

function timedOut(options: HttpsGet): Error {
  const error = new Error(`Cannot get an answer as ${options.serverName}: timed out`);
  return Object.assign(error, { code: "ETIMEDOUT" });
}

function summary(certificate: PeerCertificate): CertificateSummary {
  const names = (certificate.subjectaltname ?? "")
    .split(", ")
    .map((entry) => entry.replace(/^(DNS|IP Address):/, ""))
    .filter((name) => name !== "");
  return { subject: String(certificate.subject?.CN ?? ""), issuer: String(certificate.issuer?.CN ?? ""), names };
}

function failure(error: Error): HttpsFailure {
  const { code } = error as { code?: unknown };
  return {
    ok: false,
    code: typeof code === "string" ? code : "EUNKNOWN",
    message: error.message,
    alert: receivedAlert(error.message),
  };
}

/** The alerts that may come before any byte of HTTP (RFC 8446 §6, RFC 6066 §3), by number. */
const ALERTS: Readonly<Record<number, string>> = {
  10: "unexpected_message",
  22: "record_overflow",
  40: "handshake_failure",
  47: "illegal_parameter",
  49: "access_denied",
  50: "decode_error",
  70: "protocol_version",
  80: "internal_error",
  109: "missing_extension",
  112: "unrecognized_name",
  120: "no_application_protocol",
};

/**
 * OpenSSL (Node) ends its message with the alert's number; BoringSSL (Bun) spells the name, or where it
 * knows none writes 1000 + number; rustls (Deno) spells it in its own way.
 * The error's code is no help: on Deno most alerts share that of handshake_failure.
 */
function receivedAlert(message: string): string | undefined {
  const number = /SSL alert number (\d+)|reason\(1(\d{3})\)/.exec(message);
  if (number !== null) return ALERTS[Number(number[1] ?? number[2])];
  const name = /(?:_ALERT_|received fatal alert: )(\w+)/.exec(message)?.[1];
  if (name === undefined) return undefined;
  const letters = (text: string): string => text.toLowerCase().replaceAll("_", "").replace("recognised", "recognized");
  return Object.values(ALERTS).find((alert) => letters(alert) === letters(name));
}
