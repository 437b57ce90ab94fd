import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxHint } from "../../../src/config/nginx_names.ts";

test("nginx's words have ours beside them", () => {
  assert.equal(nginxHint("max_fails"), "; nginx's max_fails is maxFails here");
  for (const key of ["weight", "toString", ""]) assert.equal(nginxHint(key), "");
});
