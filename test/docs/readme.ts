/**
 * The README's generated parts: tables of what the code itself says.
 *
 * `node test/docs/readme.ts` writes them anew (`npm run docs`); `readme.test.ts` fails where they are stale.
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { optionTable } from "../../src/config/option_table.ts";
import { metricTable } from "../../src/metrics/metric_table.ts";
import { REASONS } from "../../src/reason.ts";
import { VARIABLES } from "../../src/variables.ts";

export const README: URL = new URL("../../README.md", import.meta.url);
export const METRICS_PAGE: URL = new URL("../../docs/metrics.md", import.meta.url);

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

const METRICS_SECTIONS: Readonly<Record<string, () => string>> = { metrics: metricTable };

/** `text` with every generated section made anew. @throws {Error} when a section's markers are missing. */
export function renderReadme(text: string): string {
  return render(text, SECTIONS);
}

/** The same for `docs/metrics.md`. */
export function renderMetrics(text: string): string {
  return render(text, METRICS_SECTIONS);
}

function render(text: string, sections: Readonly<Record<string, () => string>>): string {
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
  writeFileSync(README, renderReadme(readFileSync(README, "utf8")));
  writeFileSync(METRICS_PAGE, renderMetrics(readFileSync(METRICS_PAGE, "utf8")));
}
