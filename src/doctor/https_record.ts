/**
 * HTTPS records (RFC 9460) that lead clients around the proxy, or hide the name from it (ECH).
 *
 * Owns: which of a record's parameters do that, and the words. It must not ask for any.
 */

import type { BindingRecord } from "../host.ts";
import { escapeText } from "../log/escape.ts";
import { type Finding, finding } from "./finding.ts";
import type { Bindings } from "./resolving.ts";

/** @param proxyAddresses where a hint may lead without leading past the proxy. */
export function bindingFindings(name: string, answer: Bindings, proxyAddresses: readonly string[]): Finding[] {
  if (answer === "ENOTFOUND") return [finding("no_https_record", name, "DNS has no HTTPS record")];
  if (typeof answer === "string") return [finding("resolver_silent", name, `type HTTPS: ${answer}`)];
  const ways = answer.map((record) => bindingText(record, proxyAddresses)).filter((text) => text !== "");
  if (ways.length > 0) return [finding("https_record", name, ways.join("; "))];
  return [finding("no_https_record", name, "its HTTPS record says nothing that leads elsewhere")];
}

function bindingText(record: BindingRecord, proxyAddresses: readonly string[]): string {
  const { priority, target, alpn, port, ech } = record;
  if (priority === 0) return target === "" ? "" : `an alias for ${target}`;
  const hints = record.hints.filter((hint) => !proxyAddresses.includes(hint));
  const parts = [
    ...(ech ? ["ECH hides the name"] : []),
    ...(alpn.some((protocol) => protocol.startsWith("h3")) ? ["HTTP/3 goes by UDP"] : []),
    ...(port === undefined || port === 443 ? [] : [`port ${port}`]),
    ...(target === "" ? [] : [`served by ${target}`]),
    ...(hints.length === 0 ? [] : [`addresses of its own: ${hints.join(", ")}`]),
  ];
  return escapeText(parts.join(", "));
}
