/**
 * The access log: one line for one connection.
 *
 * Owns: the fields and the three formats, each compiled once to a function from record to line. It must
 * not write anywhere, and lets nothing through unescaped.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import { attemptText, type ConnectionRecord, type UpstreamAttempt } from "../connection_record.ts";
import { type Accessor, VARIABLE_REFERENCE, variable } from "../variables.ts";
import { escapeText, jsonString, logWord } from "./escape.ts";
import { isoTime, tenths } from "./times.ts";

/** Turns a finished connection into its line, without a newline. */
export type LineFormat = (record: ConnectionRecord) => string;

/**
 * The format that a checked configuration names.
 * @param format `text`, `json`, or a template with `$variables` as in nginx's `log_format`.
 */
export function compileLineFormat(format: string): LineFormat {
  if (format === "json") return jsonLine;
  if (format === "text") return textLine;
  return compileTemplate(format);
}

function endpointPart(endpoint: Endpoint): string {
  return jsonString(formatEndpoint(endpoint));
}

/** The lists of clients are few, and the same objects again and again. */
const alpnTexts = new WeakMap<readonly string[], string>();

function alpnPart(alpn: readonly string[]): string {
  let text = alpnTexts.get(alpn);
  if (text === undefined) {
    text = `,"alpn":[${alpn.map(jsonString).join(",")}]`;
    alpnTexts.set(alpn, text);
  }
  return text;
}

function upstreamPart(attempts: readonly UpstreamAttempt[]): string {
  if (attempts.length === 1) return `,"upstream":[${jsonString(attemptText(attempts[0]!))}]`;
  return `,"upstream":[${attempts.map((attempt) => jsonString(attemptText(attempt))).join(",")}]`;
}

/** JSON, one object a line; times in milliseconds; a field that has no value is left out. */
export function jsonLine(record: ConnectionRecord): string {
  let line = `{"time":"${isoTime(record.acceptedAt + record.duration)}","client":${endpointPart(record.client)}`;
  if (record.client !== record.peer) line += `,"peer":${endpointPart(record.peer)}`;
  line += `,"listener":${jsonString(record.listener)},"protocol":"${record.protocol}"`;
  if (record.serverName !== undefined) line += `,"serverName":${jsonString(record.serverName)}`;
  if (record.alpn.length > 0) line += alpnPart(record.alpn);
  if (record.ech) line += `,"ech":true`;
  if (record.route !== undefined) line += `,"route":${jsonString(record.route)}`;
  if (record.attempts.length > 0) line += upstreamPart(record.attempts);
  if (record.connectTime !== undefined) line += `,"connectTime":${tenths(record.connectTime)}`;
  if (record.uniqueId !== undefined) line += `,"uniqueId":"${record.uniqueId}"`;
  line += `,"bytesReceived":${record.bytesReceived},"bytesSent":${record.bytesSent}`;
  line += `,"duration":${tenths(record.duration)},"reason":"${record.reason}"`;
  if (record.wouldReject !== undefined) line += `,"wouldReject":"${record.wouldReject}"`;
  if (record.detail !== "") line += `,"detail":${jsonString(record.detail)}`;
  return `${line}}`;
}

/** For people: `TIME CLIENT -> LISTENER PROTOCOL NAME alpn=… route=… upstream=… connect=… in=… out=… took=… dry-run=… REASON "DETAIL"`. */
export function textLine(record: ConnectionRecord): string {
  const parts = [
    isoTime(record.acceptedAt + record.duration),
    logWord(formatEndpoint(record.client)),
    "->",
    logWord(record.listener),
    record.protocol,
  ];
  parts.push(logWord(record.serverName ?? ""));
  if (record.alpn.length > 0) parts.push(`alpn=${record.alpn.map(logWord).join(",")}`);
  if (record.route !== undefined) parts.push(`route=${logWord(record.route)}`);
  if (record.attempts.length > 0)
    parts.push(`upstream=${record.attempts.map((a) => logWord(attemptText(a))).join(",")}`);
  if (record.connectTime !== undefined) parts.push(`connect=${tenths(record.connectTime)}ms`);
  parts.push(`in=${record.bytesReceived}`, `out=${record.bytesSent}`, `took=${tenths(record.duration)}ms`);
  if (record.wouldReject !== undefined) parts.push(`dry-run=${record.wouldReject}`);
  parts.push(record.reason);
  if (record.detail !== "") parts.push(`"${escapeText(record.detail)}"`);
  return parts.join(" ");
}

/** A template of the user's: text as it is, `$name` and `${name}` replaced by the escaped value, `-` for none. */
function compileTemplate(template: string): LineFormat {
  const literals: string[] = [];
  const accessors: Accessor[] = [];
  let end = 0;
  for (const found of template.matchAll(VARIABLE_REFERENCE)) {
    const name = (found[1] ?? found[2])!;
    const accessor = variable(name);
    if (accessor === undefined) throw new TypeError(`Cannot log $${name}: there is no such variable`);
    literals.push(template.slice(end, found.index));
    accessors.push(accessor);
    end = found.index + found[0].length;
  }
  const tail = template.slice(end);
  return (record) => {
    let line = "";
    for (let index = 0; index < accessors.length; index++) {
      const value = accessors[index]!(record);
      line += literals[index]! + (value === undefined || value === "" ? "-" : escapeText(String(value)));
    }
    return line + tail;
  };
}
