import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { PAGES, README, render } from "./readme.ts";

const text = readFileSync(README.url, "utf8");

describe("README", () => {
  for (const { name, url, sections } of PAGES) {
    test(`generated parts of ${name} are up to date (npm run docs)`, () => {
      const page = readFileSync(url, "utf8");
      assert.equal(page, render(page, sections));
    });
  }

  test("the two commands stand at the top", () => {
    assert.match(text, /^# certless\n\n```sh\nnpm ci && npm start\b.*\nnpm ci && npm test\b/);
  });

  test("every YAML block is a valid configuration", () => {
    const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((found) => found[1]!);
    assert.ok(blocks.length > 0);
    for (const block of blocks) {
      const loaded = loadConfig(block, { path: "README.md", toAscii: (name) => name });
      assert.ok("config" in loaded, JSON.stringify(loaded));
    }
  });
});
