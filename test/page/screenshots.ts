/**
 * Pictures of the page for the README: `npm run screenshots`. With a directory as argument, all states and widths.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../runner/suites.ts";
import { type AdminServer, startAdminServer } from "./admin_server.ts";
import { type Browser, startBrowser } from "./browser.ts";

interface Shot {
  readonly name: string;
  readonly scheme: "light" | "dark";
  readonly width: number;
  readonly height: number;
  readonly isWell: boolean;
  readonly isWhole: boolean;
}

const README = { width: 1280, height: 860, isWhole: false } as const;
const FOR_README: readonly Shot[] = [
  { name: "page-light", scheme: "light", isWell: true, ...README },
  { name: "page-dark", scheme: "dark", isWell: false, ...README },
];
const ALL: readonly Shot[] = (["light", "dark"] as const).flatMap((scheme) =>
  [360, 768, 1280, 1920].flatMap((width) =>
    [true, false].map((isWell) => {
      const name = `${scheme}-${width}-${isWell ? "well" : "trouble"}`;
      return { name, scheme, width, height: 900, isWell, isWhole: true };
    }),
  ),
);

async function take(browser: Browser, server: AdminServer, shot: Shot, directory: string): Promise<void> {
  server.state.isWell = shot.isWell;
  await browser.colourScheme(shot.scheme);
  await browser.resize(shot.width, shot.isWhole ? 5_000 : shot.height);
  await browser.open(server.url);
  // Two answers, so that there are rates.
  await browser.until("rates", "document.querySelector('#tiles')?.textContent.includes('MB/s')");
  await browser.until("connections", "document.querySelectorAll('#connections tbody tr').length > 5");
  if (shot.isWhole) {
    await browser.evaluate("document.querySelector('.endings details:nth-child(2) summary').click()");
    const height = await browser.evaluate<number>("document.querySelector('main').getBoundingClientRect().bottom");
    await browser.resize(shot.width, Math.ceil(height) + 8);
  }
  writeFileSync(join(directory, `${shot.name}.png`), await browser.screenshot());
}

const tasks: (() => Promise<void> | void)[] = [];
const scope = { after: (task: () => Promise<void> | void) => void tasks.push(task) };
const directory = process.argv[2] ?? join(ROOT, "docs");
mkdirSync(directory, { recursive: true });
try {
  const server = await startAdminServer(scope, 4_458);
  const browser = await startBrowser(scope);
  for (const shot of process.argv[2] === undefined ? FOR_README : ALL) await take(browser, server, shot, directory);
  for (const complaint of browser.complaints) process.stderr.write(`${complaint}\n`);
} finally {
  for (const task of tasks.reverse()) await task();
}
