/**
 * What the servers of one upstream come to: all well, some down, only backups left, or nobody.
 *
 * Owns: that judgement, by one answer of each. It must not ask.
 */

import type { UpstreamConfig } from "../config/config.ts";
import { type Finding, finding } from "./finding.ts";

export interface ServerAnswer {
  /** As a person reads it. */
  readonly address: string;
  readonly isBackup: boolean;
  /** Why it is not well; undefined where it is. Escaped. */
  readonly error: string | undefined;
}

/** Servers that are named in one finding. */
const MOST_NAMED = 5;

export function upstreamFindings({ name }: Pick<UpstreamConfig, "name">, answers: readonly ServerAnswer[]): Finding[] {
  if (answers.length === 0) return [];
  const subject = `upstream ${name}`;
  const down = answers.filter(({ error }) => error !== undefined);
  const well = answers.filter(({ error }) => error === undefined);
  if (down.length === 0) return [finding("upstream_well", subject, many(answers.length))];
  const named = down.slice(0, MOST_NAMED).map(({ address, error }) => `${address}: ${error}`);
  const more = down.length > MOST_NAMED ? `; and ${down.length - MOST_NAMED} more` : "";
  const seen = `${down.length} of ${many(answers.length)} down: ${named.join("; ")}${more}`;
  if (well.length === 0) return [finding("upstream_down", subject, seen)];
  return [
    finding(well.every(({ isBackup }) => isBackup) ? "upstream_on_backups" : "upstream_partly_down", subject, seen),
  ];
}

function many(count: number): string {
  return `${count} server${count === 1 ? "" : "s"}`;
}
