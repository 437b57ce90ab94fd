/**
 * The README's generated parts: tables of what the code itself says.
 *
 * `node test/docs/readme.ts` writes them anew (`npm run docs`); `readme.test.ts` fails where they are stale.
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { optionTable } from "../../src/config/option_table.ts";
import { FINDINGS } from "../../src/doctor/finding.ts";
import { metricTable } from "../../src/metrics/metric_table.ts";
import { REASONS } from "../../src/reason.ts";
import { VARIABLES } from "../../src/variables.ts";

function table(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  const lines = [head, ["---", "---"], ...rows].map(([left, right]) => `| ${left} | ${right} |`);
  return lines.join("\n");
}

const SECTIONS: Readonly<Record<string, () => string>> = {
  options: optionTable,
  variables: () =>
    table(
      ["variable", "what it holds"],
      Object.entries(VARIABLES).map(([name, { description }]) => [`\`$${name}\``, description] as const),
    ),
  reasons: () =>
    table(
      ["code", "why the connection ended"],
      Object.entries(REASONS).map(([code, meaning]) => [`\`${code}\``, meaning] as const),
    ),
};

function findingTable(): string {
  const rows = Object.entries(FINDINGS).map(
    ([id, { level, why, remedy }]) => `| \`${id}\` | ${level} | ${why} | ${remedy} |`,
  );
  return ["| id | level | why it matters | what to do |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

type Sections = Readonly<Record<string, () => string>>;

/** A page with generated sections. */
export interface Page {
  readonly name: string;
  readonly url: URL;
  readonly sections: Sections;
}

const page = (name: string, sections: Sections): Page => ({
  name,
  url: new URL(`../../${name}`, import.meta.url),
  sections,
});

export const README: Page = page("README.md", SECTIONS);
export const PAGES: readonly Page[] = [
  README,
  page("docs/metrics.md", { metrics: metricTable }),
  page("docs/doctor.md", { findings: findingTable }),
];

/** `text` with every generated section made anew. @throws {Error} when a section's markers are missing. */
export function render(text: string, sections: Sections): string {
  return Object.entries(sections).reduce((readme, [name, make]) => {
    const open = `<!-- ${name}: made by \`npm run docs\` -->`;
    const close = `<!-- /${name} -->`;
    const from = readme.indexOf(open);
    const to = readme.indexOf(close);
    if (from < 0 || to < from) throw new Error(`Cannot write the section ${name}: its markers are missing`);
    return `${readme.slice(0, from + open.length)}\n\n${make().trim()}\n\n${readme.slice(to)}`;
  }, text);
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split("/").at(-1)!)) {
  for (const { url, sections } of PAGES) writeFileSync(url, render(readFileSync(url, "utf8"), sections));
}
