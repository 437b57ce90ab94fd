/** The page of the real program, on one adapter: what it asks is answered, and what it does is done. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join as joinPath } from "node:path";
import { describe, test } from "node:test";
import { needsPrograms } from "../clients/tools.ts";
import { COMBINATIONS } from "../conformance/harness/combinations.ts";
import { join, sendFirst } from "../conformance/harness/connection.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { startOrigin } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { ROOT } from "../runner/suites.ts";
import { startBrowser } from "./browser.ts";

const HOST = "page.example.test";
const HOSTILE = "<img src=x onerror=document.title='owned'>";

function needs(): { skip: string | false } {
  const hasAdmin = existsSync(joinPath(ROOT, "src/admin/handler.ts"));
  return hasAdmin ? needsPrograms("chromium") : { skip: "this program has no admin interface" };
}

describe("the page of a running proxy", needs(), () => {
  test("shows what is, closes a connection, takes a server out, reloads", async (t) => {
    const origin = await startOrigin(t);
    const config = {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [HOST]: "pool" },
      upstreams: { pool: { servers: [origin.address] } },
      admin: { address: "127.0.0.1:0" },
    };
    const proxy = await startProxy(t, COMBINATIONS.at(-1)!, { config });
    const [, port] = await proxy.waitForStderr(/^certless: admin interface: 127\.0\.0\.1:(\d+)$/m);
    const { client } = await join(t, proxy, origin, HOST);
    await sendFirst(t, proxy.endpoint, helloFor(HOSTILE));
    const browser = await startBrowser(t);
    const url = `http://127.0.0.1:${port}/`;
    await browser.resize(1280, 4_000);
    await browser.open(url);
    const has = (selector: string, text: string): string =>
      `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${JSON.stringify(text)})`;
    /** Presses the button that `button` finds, and says yes. */
    const confirmFound = async (button: string, word: string): Promise<void> => {
      await browser.evaluate(`${button}.click()`);
      await browser.until("the question", "document.querySelector('dialog').open");
      assert.equal(await browser.evaluate("document.querySelector('dialog button:last-child').textContent"), word);
      await browser.evaluate("document.querySelector('dialog button:last-child').click()");
    };
    const confirm = (selector: string, word: string): Promise<void> =>
      confirmFound(`document.querySelector(${JSON.stringify(selector)})`, word);

    await browser.until("the verdict", has("#headline", "All is well"));
    await browser.until("the connection", has("#connections tbody", HOST));
    await browser.until("the refused one", has("#log tbody", "malformed_hello"));
    await browser.until("the server", has("#upstreams tbody", origin.address));
    await browser.until("the route", has("#routes tbody", HOST));

    // The refused client's may still be there, on its way out.
    const row = `[...document.querySelectorAll("#connections tbody tr")].find((one) => one.textContent.includes("${HOST}"))`;
    await confirmFound(`${row}.querySelector("button")`, "Close it");
    await client.untilClosed();
    await confirm("#upstreams tbody button", "Take out");
    await browser.until("it is out", has("#upstreams tbody", "taken out"));
    await browser.until("the finding", "document.querySelector('#verdict').classList.contains('bad')");
    await confirm("#upstreams tbody button", "Bring back");
    await browser.until("all is well again", has("#headline", "All is well"));
    await confirm("#actions button:nth-child(3)", "Reload");
    await browser.until("the reload", has("#notice", "Reloaded in"));

    assert.equal(await browser.evaluate("document.title.includes('owned')"), false);
    assert.deepEqual(browser.complaints, []);
    assert.deepEqual(
      browser.requests.filter((asked) => !asked.startsWith(url)),
      [],
    );
  });
});
