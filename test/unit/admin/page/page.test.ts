import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PAGE_HEADERS, pageFile } from "../../../../src/admin/page/page.ts";

describe("the page's files", () => {
  test("every file that the document names is there, and nothing is named that is elsewhere", () => {
    const document = pageFile("/")!.body;
    const named = [...document.matchAll(/(?:href|src)="([^"#][^"]*)"/g)].map((found) => found[1]!);
    assert.deepEqual(new Set(named), new Set(["/icon.svg", "/page.css", "/page.js"]));
    for (const path of named) assert.ok(pageFile(path)!.body.length > 100, path);
  });

  test("what is not a file is none, whatever it looks like", () => {
    for (const path of ["", "/page.js/", "//", "/../page.js", "/constructor", "/__proto__"]) {
      assert.equal(pageFile(path), undefined, path);
    }
  });

  test("the document holds no script and no style of its own: the policy would stop them", () => {
    assert.doesNotMatch(pageFile("/")!.body, /<script>|<style|\sstyle=|\son\w+=/);
  });

  test("small: all of it below 60 kB", () => {
    const paths = ["/", "/page.js", "/page.css", "/icon.svg"];
    assert.ok(paths.reduce((sum, path) => sum + pageFile(path)!.body.length, 0) < 60_000);
  });

  test("the policy lets nothing in that is not this origin's", () => {
    const policy = PAGE_HEADERS["Content-Security-Policy"]!;
    assert.match(
      policy,
      /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';/,
    );
    assert.match(
      policy,
      /base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'/,
    );
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  });
});
