/**
 * The picture of `certless top`: lines for a terminal of some size.
 *
 * Owns: what is shown in how much room. It fits 80 columns and 24 rows; nothing of the wire reaches the terminal but escaped.
 */

import type { ConnectionAnswer, NameTraffic, StatusAnswer } from "../admin/api.ts";
import type { UpstreamStatus } from "../health/status.ts";
import { escapeText } from "../log/escape.ts";
import { countText, durationText, sizeText } from "./amounts.ts";
import type { Style } from "./style.ts";

/** What was known at one time. */
export interface Sample {
  readonly status: StatusAnswer;
  readonly upstreams: readonly UpstreamStatus[];
  /** The newest first. */
  readonly connections: readonly ConnectionAnswer[];
  /** The busiest first. */
  readonly names: readonly NameTraffic[];
}

export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** @param former an earlier one, for rates. @returns at most `rows` lines of at most `columns` characters each. */
export function topLines(sample: Sample, former: Sample | undefined, { columns, rows }: Room, style: Style): string[] {
  const lines = headLines(sample.status, former?.status).map((line) => cut(line, columns));
  const heads = new Set([0]);
  let left = rows - lines.length;
  const sections = sectionsOf(sample, former, columns);
  for (const [index, { title, entries }] of sections.entries()) {
    // Each section that is still to come has a share of what is left.
    const share = Math.max(0, Math.floor(left / (sections.length - index)) - 1);
    if (entries.length === 0 || share === 0) continue;
    heads.add(lines.length);
    lines.push(cut(title, columns), ...entries.slice(0, share).map((entry) => cut(entry, columns)));
    left = rows - lines.length;
  }
  const safe = lines.slice(0, rows).map((line) => line.replace(/[^ -~]/g, "?"));
  return safe.map((line, index) => (heads.has(index) ? style.bold(line) : line));
}

function headLines(status: StatusAnswer, former: StatusAnswer | undefined): string[] {
  const { connections, bytes, findings, now, startedAt, state, version, workers } = status;
  const [finding] = findings;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more: certless status)` : "";
  const lag = Math.max(0, ...workers.map((worker) => worker.lag));
  const rates =
    former === undefined
      ? `${sizeText(bytes.received)} from clients, ${sizeText(bytes.sent)} to clients`
      : [
          `${countText(rate(connections.accepted, former.connections.accepted, status, former))} new/s`,
          `${sizeText(rate(bytes.received, former.bytes.received, status, former))}/s from clients`,
          `${sizeText(rate(bytes.sent, former.bytes.sent, status, former))}/s to clients`,
        ].join(", ");
  return [
    `certless ${escapeText(version)}, ${state} for ${durationText(now - startedAt)}; q ends this`,
    `${connections.open} of ${connections.limit} connections, ${countText(connections.accepted)} accepted, lag ${Math.round(lag)} ms`,
    rates,
    finding === undefined ? "all is well" : `${finding.level}: ${escapeText(finding.what)}${more}`,
  ];
}

/** Per second. */
function rate(now: number, before: number, { now: at }: StatusAnswer, { now: since }: StatusAnswer): number {
  return at > since ? Math.max(0, ((now - before) * 1000) / (at - since)) : 0;
}

interface Section {
  readonly title: string;
  readonly entries: readonly string[];
}

function sectionsOf(sample: Sample, former: Sample | undefined, columns: number): Section[] {
  const wide = Math.max(20, columns - 40);
  const [from, to] = former === undefined ? ["from", "to"] : ["from/s", "to/s"];
  return [
    {
      title: `${"server".padEnd(wide)} ${"service".padEnd(9)}${"open".padStart(7)}${"certificate".padStart(14)}`,
      entries: sample.upstreams.flatMap(({ name, servers }) =>
        servers.map((server) => {
          const days = Math.min(...server.certificates.map(({ daysLeft }) => daysLeft));
          const left = Number.isFinite(days) ? `${days} days` : "";
          const who = fit(`${escapeText(name)} ${escapeText(server.address)}`, wide);
          return `${who} ${server.service.padEnd(9)}${countText(server.connections).padStart(7)}${left.padStart(14)}`;
        }),
      ),
    },
    {
      title: `${"name".padEnd(wide)} ${"ended".padStart(9)}${from.padStart(14)}${to.padStart(14)}`,
      entries: sample.names.map((traffic) => nameLine(traffic, sample, former, wide)),
    },
    {
      title: `${"connection".padEnd(wide)} ${"state".padEnd(11)}${"age".padStart(8)}${"from".padStart(9)}${"to".padStart(9)}`,
      entries: sample.connections.map((one) => connectionLine(one, sample.status.now, wide)),
    },
  ];
}

function nameLine(
  { name, connections, received, sent }: NameTraffic,
  { status }: Sample,
  former: Sample | undefined,
  wide: number,
): string {
  const before = former?.names.find((one) => one.name === name);
  const amount = (now: number, then: number | undefined): string => {
    if (former === undefined) return sizeText(now);
    // Who was not among the busiest a moment ago has no rate yet.
    return then === undefined ? "-" : sizeText(rate(now, then, status, former.status));
  };
  const [up, down] = [amount(received, before?.received), amount(sent, before?.sent)];
  return `${fit(escapeText(name), wide)} ${countText(connections).padStart(9)}${up.padStart(14)}${down.padStart(14)}`;
}

function connectionLine(
  { client, serverName, server, state, acceptedAt, received, sent }: ConnectionAnswer,
  now: number,
  wide: number,
): string {
  const way = [escapeText(client), serverName === undefined ? "-" : escapeText(serverName), escapeText(server ?? "")];
  const age = durationText(now - acceptedAt).split(" ")[0] as string;
  const bytes = `${sizeText(received).padStart(9)}${sizeText(sent).padStart(9)}`;
  return `${fit(way.join(" "), wide)} ${state.padEnd(11)}${age.padStart(8)}${bytes}`;
}

/** Exactly as wide. */
function fit(text: string, width: number): string {
  return cut(text, width).padEnd(width);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}~`;
}
