/**
 * Makes the files of the admin page from their sources in page/: `npm run page`.
 *
 * Owns: src/admin/page/assets.json, which is committed, so that certless runs from a checkout without a build.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, ROOT } from "../runner/suites.ts";

export const ASSETS = join(ROOT, "src/admin/page/assets.json");

/** What Bun makes of an entry, small. */
function bundle(entry: string, directory: string): string {
  const out = join(directory, "out");
  const args = ["build", join(ROOT, "page", entry), "--target=browser", "--minify", `--outfile=${out}`];
  execFileSync(binary("bun"), args, { stdio: ["ignore", "ignore", "inherit"] });
  return readFileSync(out, "utf8");
}

/** Comments and the space around braces; no rule is rewritten. */
function smallCss(text: string): string {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\s+/g, " ");
  return bare
    .replace(/ ?([{};,]) ?/g, "$1")
    .replace(/: /g, ":")
    .replaceAll(";}", "}")
    .trim();
}

/** The four files, as text. */
export function buildPage(): string {
  const directory = mkdtempSync(join(tmpdir(), "certless-page-"));
  const read = (name: string): string => readFileSync(join(ROOT, "page", name), "utf8");
  try {
    const files = {
      html: read("index.html").replace(/\n\s+/g, "\n"),
      script: bundle("main.ts", directory),
      style: smallCss(read("page.css")),
      icon: read("icon.svg"),
    };
    return `${JSON.stringify(files, null, 2)}\n`;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) writeFileSync(ASSETS, buildPage());
