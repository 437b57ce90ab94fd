/**
 * Findings for people, in 80 columns: the worst first, those of one kind together with what is common to them.
 */

import { escapeInvisible } from "../config/quote.ts";
import type { Finding, Level } from "../doctor/finding.ts";
import type { Style } from "./style.ts";
import { plural } from "./summary.ts";

const WIDTH = 80;
/** Findings of one kind that are shown; what is well is worth fewer words. */
const MOST_SHOWN: Readonly<Record<Level, number>> = { fault: 10, warning: 10, note: 5, ok: 5 };

/** @param findings the worst first. */
export function findingsText(findings: readonly Finding[], style: Style): string {
  const kinds = new Map<string, Finding[]>();
  for (const one of findings) kinds.set(one.id, [...(kinds.get(one.id) ?? []), one]);
  const lines = [...kinds.values()].flatMap((kind) => kindLines(kind, style));
  const worst = findings.filter(({ level }) => level === "fault" || level === "warning").length;
  const verdict = worst === 0 ? "nothing is wrong" : `${plural(worst, "finding")} to look at`;
  return `${[...lines, `${plural(findings.length, "finding")}: ${verdict}`].join("\n")}\n`;
}

function kindLines(kind: readonly Finding[], style: Style): string[] {
  const [{ level, id, why, remedy }] = kind as readonly [Finding, ...Finding[]];
  const colours: Readonly<Record<Level, (text: string) => string>> = {
    fault: style.red,
    warning: style.yellow,
    note: style.bold,
    ok: style.green,
  };
  const shown = kind.slice(0, MOST_SHOWN[level]);
  const more = kind.length - shown.length;
  return [
    `${colours[level](level.padEnd(8))} ${style.dim(id)}`,
    ...shown.flatMap(({ subject, seen }) => wrap("  ", escapeInvisible(`${subject}: ${seen}`))),
    ...(more === 0 ? [] : [`  and ${more} more (--json has all)`]),
    ...(level === "ok" ? [] : [...wrap("    why: ", why), ...wrap("     do: ", remedy), ""]),
  ];
}

/** The first line behind `head`, the others below it; what has no spaces is cut. */
function wrap(head: string, text: string): string[] {
  const room = WIDTH - head.length;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => pieces(one, room))) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one, index) => `${index === 0 ? head : " ".repeat(head.length)}${one}`);
}

function pieces(word: string, room: number): string[] {
  return word.length <= room ? [word] : (word.match(new RegExp(`.{1,${room}}`, "gu")) ?? []);
}
