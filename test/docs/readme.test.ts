import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { METRICS_PAGE, README, renderMetrics, renderReadme } from "./readme.ts";

const text = readFileSync(README, "utf8");

describe("README", () => {
  test("generated parts are up to date (npm run docs)", () => {
    assert.equal(text, renderReadme(text));
  });

  test("so is the table of metrics", () => {
    const page = readFileSync(METRICS_PAGE, "utf8");
    assert.equal(page, renderMetrics(page));
  });

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
