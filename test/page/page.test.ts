/** The page in a real browser, against an admin interface with the real headers. */

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { needsPrograms } from "../clients/tools.ts";
import { suiteScope } from "../conformance/harness/waiting.ts";
import { type AdminServer, startAdminServer } from "./admin_server.ts";
import { type Browser, startBrowser } from "./browser.ts";
import { sampleConnections, sampleLog } from "./sample.ts";

const TOTAL = 10_000;
const HOSTILE = "<img src=x onerror=document.title='owned'>\u202e\u0007<script>document.title='owned'</script>";
const ROWS = "document.querySelectorAll('#connections tbody tr:not(.space)')";

/** The relative luminance of a colour and the contrast of two (WCAG 2.2 §1.4.3), in the page. */
const CONTRAST = `(selector) => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (value) => { const s = value / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const element = document.querySelector(selector);
  if (element === null) return selector + ' is missing';
  let ground = element;
  const opaque = (at) => { const c = parse(getComputedStyle(at).backgroundColor); return c.length < 4 || c[3] > 0; };
  while (!opaque(ground) && ground.parentElement) ground = ground.parentElement;
  const pair = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor].map(parse).map(light);
  const [high, low] = pair.sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}`;

const TEXTS = [
  ".headline",
  ".summary",
  ".updated",
  ".facts dt",
  ".facts dd",
  ".tiles dt",
  ".tiles dd",
  ".tiles .note",
  ".findings .badge.bad",
  ".findings .badge.warn",
  ".remedy",
  ".legend",
  "#upstreams th",
  "#upstreams .badge.good",
  "#upstreams .badge.bad",
  "#upstreams .badge.quiet",
  ".endings .kind",
  ".button, .actions button",
  "button.link",
  "button.primary",
  "label",
  "nav a",
];

describe("the page", needsPrograms("chromium"), () => {
  const scope = suiteScope();
  let server: AdminServer;
  let browser: Browser;

  beforeEach(async () => {
    server ??= await startAdminServer(scope, TOTAL);
    browser ??= await startBrowser(scope);
    server.state.token = undefined;
    server.state.missing = undefined;
    server.state.isWell = true;
    server.state.connections = sampleConnections(TOTAL, Date.now());
    server.state.log = sampleLog(Date.now());
    server.state.actions.length = 0;
    browser.complaints.length = 0;
    browser.requests.length = 0;
    await browser.resize(1280, 900);
  });

  const open = async (height = 900): Promise<void> => {
    await browser.resize(1280, height);
    await browser.open(server.url);
    await browser.until("an answer", "document.querySelector('#tiles').childElementCount > 0");
  };
  const press = (selector: string): Promise<void> =>
    browser.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  const confirm = async (word: string): Promise<void> => {
    await browser.until("the question", "document.querySelector('dialog').open");
    await browser.evaluate(
      `[...document.querySelectorAll('dialog button')].find((one) => one.textContent === '${word}').click()`,
    );
  };
  const text = (selector: string): Promise<string> =>
    browser.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).textContent`);

  /** Nothing may ever be said against a page, and nothing asked elsewhere. */
  const isClean = (): void => {
    assert.deepEqual(browser.complaints, []);
    const foreign = browser.requests.filter((url) => !url.startsWith(server.url) && !url.startsWith("data:"));
    assert.deepEqual(foreign, []);
  };

  test("one look says that all is well, and the whole of it loads under the policy", async () => {
    await open(4_000);
    await browser.until("connections", `${ROWS}.length > 10`);
    await browser.until("the log", "document.querySelectorAll('#log tbody tr').length > 10");
    await browser.until("routes", "document.querySelectorAll('#routes tbody tr:not(.space)').length > 10");
    await browser.until("lines", "document.querySelectorAll('.charts path.line').length === 5");
    assert.equal(await text("#headline"), "All is well");
    assert.equal(await browser.evaluate("document.title"), "All is well · certless");
    assert.match(await text("#facts"), /linux on bun/);
    isClean();
  });

  test("trouble comes by itself, with findings, remedies, and the refused file's place", async () => {
    await open();
    server.state.isWell = false;
    await browser.until("trouble", "document.querySelector('#headline').textContent.startsWith('Trouble')");
    assert.match(await text("#findings"), /is down for 12 minutes.*Is the server running/s);
    assert.match(await text("#configuration"), /certless\.yaml:14:21 Cannot read address/);
    assert.match(await text("#upstreams"), /9 days left/);
    isClean();
  });

  test("markup and control characters in a server name are shown, and nothing runs", async () => {
    server.state.connections = [{ ...server.state.connections[0]!, serverName: HOSTILE, route: HOSTILE }];
    server.state.log = [{ ...server.state.log[0]!, serverName: HOSTILE, detail: HOSTILE, attempts: [HOSTILE] }];
    await open(4_000);
    await browser.until("the connection", `${ROWS}.length === 1`);
    await browser.until("the line", "document.querySelectorAll('#log tbody tr').length === 1");
    for (const selector of ["#connections tbody", "#log tbody"]) {
      assert.ok((await text(selector)).includes("<img src=x onerror=document.title='owned'>\\u{202e}\\x07<script>"));
    }
    assert.equal(await browser.evaluate("document.querySelectorAll('main img, main script').length"), 0);
    assert.equal(await browser.evaluate("document.title"), "All is well · certless");
    isClean();
  });

  test("of ten thousand connections only those in sight are in the document, wherever one scrolls", async () => {
    await open(4_000);
    await browser.until("connections", `${ROWS}.length > 10`);
    assert.match(await text("#connections .count"), /^10,000 connections$/);
    for (const part of [0.5, 1, 0.25]) {
      const scroll = `{ const one = document.querySelector('#connections .window'); one.scrollTop = one.scrollHeight * ${part}; }`;
      await browser.evaluate(scroll);
      const wanted = `${ROWS}[0]?.ariaRowIndex > ${part * TOTAL - 60} && ${ROWS}[0].ariaRowIndex < ${part * TOTAL + 20}`;
      await browser.until(`rows at ${part}`, wanted);
      assert.ok((await browser.evaluate<number>(`${ROWS}.length`)) < 60);
    }
    assert.equal(await browser.evaluate("document.querySelector('#connections table').ariaRowCount"), "10001");
    isClean();
  });

  test("filters ask the proxy; one connection is closed after a question", async () => {
    await open(4_000);
    await browser.until("connections", `${ROWS}.length > 10`);
    await browser.evaluate("document.querySelector('#connections-name').focus()");
    await browser.type("db7");
    await browser.until("the filtered", `[...${ROWS}].every((row) => row.cells[0].textContent === 'db7.corp')`);
    const id = server.state.connections.find(({ serverName }) => serverName === "db7.corp")!.id;
    await press("#connections tbody button");
    await confirm("Cancel");
    assert.deepEqual(server.state.actions, []);
    await press("#connections tbody button");
    await confirm("Close it");
    await browser.until("the word", "document.querySelector('#notice').textContent === 'close: done'");
    assert.deepEqual(server.state.actions, [`close {"id":${id}}`]);
    isClean();
  });

  test("servers, reload and drain: each after a question", async () => {
    await open(4_000);
    await browser.until("servers", "document.querySelector('#upstreams tbody button')");
    await press("#upstreams tbody button");
    await confirm("Take out");
    await browser.until("done", "document.querySelector('#notice').textContent === 'servers: done'");
    await browser.evaluate("document.querySelectorAll('#actions button')[2].click()");
    await confirm("Reload");
    await browser.until("reloaded", "document.querySelector('#notice').textContent.startsWith('Reloaded in 84 ms')");
    await browser.evaluate("document.querySelectorAll('#actions button')[3].click()");
    await confirm("Drain");
    await browser.until("drained", "document.querySelector('#notice').textContent === 'drain: done'");
    assert.deepEqual(server.state.actions, [
      'servers {"upstream":"payments","address":"203.0.113.7:443","state":"down"}',
      "reload {}",
      "drain {}",
    ]);
    isClean();
  });

  test("a proxy that is gone is said to be, with since when, and the page recovers by itself", async () => {
    await open();
    await server.stop();
    await browser.until(
      "the loss",
      "document.querySelector('#headline').textContent.startsWith('Not reachable since')",
    );
    assert.equal(await browser.evaluate("document.body.classList.contains('stale')"), true);
    await server.restart();
    await browser.until("the return", "document.querySelector('#headline').textContent === 'All is well'");
    assert.equal(await browser.evaluate("document.body.classList.contains('stale')"), false);
  });

  test("nothing is asked while the page is hidden", async () => {
    await open();
    await browser.evaluate(
      "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })",
    );
    await browser.evaluate("new Promise((resolve) => setTimeout(resolve, 500))");
    const asked = browser.requests.length;
    await browser.evaluate("new Promise((resolve) => setTimeout(resolve, 2600))");
    assert.equal(browser.requests.length, asked);
    await browser.evaluate("delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'))");
    await browser.until("an answer", `performance.getEntriesByType('resource').length > ${asked}`);
  });

  test("what a proxy cannot tell is said where it would be, and not asked again", async () => {
    server.state.missing = "names";
    await open(4_000);
    await browser.until(
      "the word",
      "document.querySelector('#names .told')?.textContent.startsWith('Cannot tell names')",
    );
    const asked = (): number => browser.requests.filter((url) => url.includes("/names")).length;
    const before = browser.requests.length;
    // Two more rounds of everything else.
    await browser.until("rounds", "performance.getEntriesByName(location.origin + '/api/v1/status').length >= 3");
    assert.ok(browser.requests.length > before);
    assert.equal(asked(), 1);
    assert.equal(await text("#headline"), "All is well");
  });

  test("a token is asked for once, kept for the tab, and sent", async () => {
    server.state.token = "sesame";
    await browser.open(server.url);
    await browser.until("the question", "document.querySelector('dialog').open");
    assert.equal(await browser.evaluate("document.activeElement.id"), "token");
    await browser.type("sesame");
    await browser.press("Enter", { code: 13, text: "\r" });
    await browser.until("the verdict", "document.querySelector('#headline').textContent === 'All is well'");
    await browser.open(server.url);
    await browser.until("the verdict again", "document.querySelector('#headline').textContent === 'All is well'");
    assert.equal(await browser.evaluate("document.querySelector('dialog').open"), false);
    assert.equal(await browser.evaluate("JSON.stringify(localStorage).includes('sesame')"), false);
    await browser.evaluate("sessionStorage.clear()");
  });

  test("the keyboard reaches everything, in order, and what has the focus is seen", async () => {
    server.state.connections.length = 3;
    await open(4_000);
    await browser.until("connections", `${ROWS}.length === 3`);
    const reachable = "a[href], button:not([hidden]), input, select, summary, [tabindex='0']";
    const visible = `[...document.querySelectorAll("${reachable}")].filter((one) => one.checkVisibility())`;
    const wanted = await browser.evaluate<number>(`${visible}.length`);
    await browser.evaluate("document.body.focus()");
    await browser.evaluate("globalThis.seen = new Set()");
    for (let step = 0; step < wanted + 5; step++) {
      await browser.press("Tab", { code: 9 });
      const isSeen = await browser.evaluate<boolean>(`(() => {
        const one = document.activeElement;
        if (one === document.body) return true;
        seen.add(one);
        return getComputedStyle(one).outlineStyle !== 'none';
      })()`);
      assert.ok(isSeen, await browser.evaluate("document.activeElement.outerHTML.slice(0, 200)"));
    }
    const missed = await browser.evaluate(
      `${visible}.filter((one) => !seen.has(one)).map((one) => one.outerHTML.slice(0, 90))`,
    );
    assert.deepEqual(missed, []);
  });

  test("a chart is read out by the arrow keys, and as a table", async () => {
    await open(4_000);
    await browser.until("lines", "document.querySelectorAll('.charts path.line').length === 5");
    await browser.evaluate("document.querySelector('.plot').focus()");
    await browser.press("Home", { code: 36 });
    const spoken = "document.querySelector('.plot').ariaValueText";
    const first = await browser.evaluate<string>(spoken);
    assert.match(first, /^\d\d:\d\d:\d\d: To clients [\d.]+ MB\/s, From clients [\d.]+ MB\/s$/);
    await browser.press("ArrowRight", { code: 39 });
    await browser.until("the next", `${spoken} !== ${JSON.stringify(first)}`);
    await press("#history-table summary");
    await browser.until("the table", "document.querySelectorAll('#history-table tbody tr').length === 12");
    isClean();
  });

  test("where a name goes is told, and why", async () => {
    await open(4_000);
    await browser.evaluate("document.querySelector('#tester-name').focus()");
    await browser.type("pay.example.com");
    await browser.press("Enter", { code: 13, text: "\r" });
    await browser.until("the answer", "document.querySelector('.answer').textContent.includes('exact')");
    assert.match(await text(".answer"), /0\.0\.0\.0:443 tls forwardedrule {2}pay\.example\.com/);
    isClean();
  });

  test("whatever can be used has a name, and there are landmarks and headings", async () => {
    server.state.isWell = false;
    await open(4_000);
    await browser.until("connections", `${ROWS}.length > 10`);
    const all = await browser.accessibles();
    const used = new Set([
      "button",
      "link",
      "textbox",
      "searchbox",
      "combobox",
      "checkbox",
      "slider",
      "region",
      "table",
    ]);
    assert.deepEqual(
      all.filter(({ role, name }) => used.has(role) && name.trim() === ""),
      [],
    );
    const roles = new Set(all.map(({ role }) => role));
    for (const role of ["banner", "main", "navigation", "heading", "slider", "status"])
      assert.ok(roles.has(role), role);
    isClean();
  });

  for (const scheme of ["light", "dark"] as const) {
    test(`contrast of texts is 4.5 at least: ${scheme}`, async () => {
      server.state.isWell = false;
      await browser.colourScheme(scheme);
      await open(4_000);
      await browser.until("trouble", "document.querySelector('#headline').textContent.startsWith('Trouble')");
      await browser.until("names", "document.querySelector('#names tbody button')");
      const weak = [];
      for (const selector of TEXTS) {
        const contrast = await browser.evaluate<number | string>(`(${CONTRAST})(${JSON.stringify(selector)})`);
        if (typeof contrast === "string" || contrast < 4.5) weak.push(`${selector}: ${contrast}`);
      }
      assert.deepEqual(weak, []);
    });
  }

  test("a narrow window scrolls down only; the theme is a choice that stays", async () => {
    await browser.resize(360, 740);
    await browser.open(server.url);
    await browser.until("an answer", "document.querySelector('#tiles').childElementCount > 0");
    assert.ok((await browser.evaluate<number>("document.documentElement.scrollWidth")) <= 360);
    await browser.evaluate("document.querySelector('#actions .ghost').click()");
    await browser.open(server.url);
    assert.equal(await browser.evaluate("document.documentElement.dataset.theme"), "light");
    await browser.evaluate("localStorage.clear()");
  });
});
