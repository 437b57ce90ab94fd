import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ASSETS, buildPage } from "./build.ts";

test("the committed files are those of page/", () => {
  assert.equal(readFileSync(ASSETS, "utf8"), buildPage(), "page/ has changed: run `npm run page`");
});
