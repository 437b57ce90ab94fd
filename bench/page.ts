/**
 * What the admin page costs the browser: tasks while it stands still, and while 10,000 connections scroll by.
 *
 * Run: `node bench/page.ts`. Needs Chromium.
 */

import { startAdminServer } from "../test/page/admin_server.ts";
import { startBrowser } from "../test/page/browser.ts";

const CONNECTIONS = 10_000;

/** Scrolls to the end and back in frames, and notes each frame's length and each task over 50 ms. */
const SCROLL = `new Promise((resolve) => {
  const long = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map((one) => one.duration)))
    .observe({ entryTypes: ['longtask'] });
  const one = document.querySelector('#connections .window');
  const frames = [];
  let last = performance.now();
  let step = 0;
  const frame = (now) => {
    frames.push(now - last);
    last = now;
    one.scrollTop = one.scrollHeight * (step < 240 ? step / 240 : (480 - step) / 240);
    if (++step <= 480) requestAnimationFrame(frame);
    else setTimeout(() => resolve({ frames, long, nodes: document.querySelectorAll('*').length }), 300);
  };
  requestAnimationFrame(frame);
})`;

interface Scrolled {
  readonly frames: readonly number[];
  readonly long: readonly number[];
  readonly nodes: number;
}

const tasks: (() => Promise<void> | void)[] = [];
const scope = { after: (task: () => Promise<void> | void) => void tasks.push(task) };
try {
  const server = await startAdminServer(scope, CONNECTIONS);
  const browser = await startBrowser(scope);
  await browser.resize(1280, 4_000);
  await browser.open(server.url);
  await browser.until("connections", "document.querySelectorAll('#connections tbody tr').length > 10");
  const { frames, long, nodes } = await browser.evaluate<Scrolled>(SCROLL);
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (part: number): string => `${sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(1)} ms`;
  const longest = long.length === 0 ? "none" : `${long.length}, the longest ${Math.max(...long).toFixed(0)} ms`;
  process.stdout.write(
    `${CONNECTIONS} connections, ${frames.length} frames: median ${at(0.5)}, 99 % within ${at(0.99)}, longest ${at(1)}\n` +
      `tasks over 50 ms: ${longest}\nelements in the document: ${nodes}\n`,
  );
} finally {
  for (const task of tasks.reverse()) await task();
}
