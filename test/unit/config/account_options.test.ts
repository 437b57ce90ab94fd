import assert from "node:assert/strict";
import { test } from "node:test";
import { readAccountName } from "../../../src/config/account_options.ts";
import { configFromObject } from "../../../src/config/load.ts";

const toAscii = (name: string): string => name;
const base = { listeners: [{ address: "0.0.0.0:443" }], routes: {} };

test("names and numbers are accounts, nothing else is", () => {
  for (const good of ["nobody", "www-data", "_certless", "user.name", "host$", "65534"]) {
    assert.equal(readAccountName(good), good);
  }
  for (const bad of ["", "two words", "-x", "a:b", "a\nb", "1234567890", "../root"]) {
    assert.deepEqual(readAccountName(bad), { error: "it must be a name, or a number in quotes" });
  }
});

test("user and group reach the configuration", () => {
  const loaded = configFromObject({ ...base, user: "nobody", group: "nogroup" }, { toAscii });
  assert.ok("config" in loaded);
  assert.equal(loaded.config.user, "nobody");
  assert.equal(loaded.config.group, "nogroup");
});

test("a group without a user is refused", () => {
  const loaded = configFromObject({ ...base, group: "nogroup" }, { toAscii });
  assert.ok("errors" in loaded);
  assert.match(loaded.errors[0]?.message ?? "", /^Cannot use group: without user nothing is given up; name the user/);
});
