import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkHost, isSame } from "../../../src/admin/guard.ts";
import { PREFIX } from "../../../src/admin/operations.ts";
import { ask, operated, post, request, SETTINGS } from "./operated_fixture.ts";

const STATUS = `${PREFIX}status`;

describe("admin guard", () => {
  test("only its own hosts are answered", () => {
    const good = [
      "localhost",
      "localhost:9443",
      "LOCALHOST.",
      "a.localhost",
      "127.0.0.1:1",
      "127.9.9.9",
      "[::1]:9443",
      "proxy.example.test:80",
    ];
    for (const host of good) checkHost(host, SETTINGS);
    const bad = [
      "",
      "evil.test",
      "localhost.evil.test",
      "127.0.0.1.evil.test",
      "192.0.2.1",
      "[::2]",
      "[::1",
      "::1",
      "a b",
      "localhost:x",
      "localhost, evil.test",
      "user@localhost",
      "0",
    ];
    for (const host of bad) assert.throws(() => checkHost(host, SETTINGS), { status: 403, code: "wrong_host" }, host);
  });

  test("who listens on one address is asked by it, who listens on all by any", () => {
    const on = (ip: string) => ({ ...SETTINGS, endpoint: { kind: "tcp", ip, port: 9443 } as const });
    checkHost("192.0.2.5:9443", on("192.0.2.5"));
    checkHost("[2001:DB8::1]:9443", on("::"));
    checkHost("192.0.2.77", on("0.0.0.0"));
    assert.throws(() => checkHost("192.0.2.6", on("192.0.2.5")));
    assert.throws(() => checkHost("evil.test", on("0.0.0.0")));
    assert.throws(() => checkHost("192.0.2.6", { ...SETTINGS, endpoint: { kind: "unix", path: "/x" } }));
  });

  test("the token is the token", async () => {
    const settings = { ...SETTINGS, token: "secret" };
    const status = async (authorization: string) =>
      (await ask(request(STATUS, {}, { authorization }), operated(), settings)).status;
    assert.equal(await status("Bearer secret"), 200);
    assert.equal(await status("bearer  secret "), 200);
    for (const given of [
      "",
      "secret",
      "Basic secret",
      "Bearer",
      "Bearer secre",
      "Bearer secrets",
      "Bearer secretsecret",
      "Bearer SECRET",
      "Bearer secret x",
    ]) {
      assert.equal(await status(given), 401, given);
    }
    const { response } = await ask(request(STATUS), operated(), settings);
    assert.ok(response.headers.some(([name]) => name === "WWW-Authenticate"));
    assert.doesNotMatch(response.body, /secret/);
  });

  test("two texts are the same only where they are", () => {
    assert.ok(isSame("ab", "ab"));
    for (const given of ["", "a", "abab", "ac", "b"]) assert.ok(!isSame("ab", given), given);
  });

  test("another site's page gets nothing", async () => {
    const status = async (fields: Readonly<Record<string, string>>) =>
      (await ask(post(`${PREFIX}drain`, {}, fields))).status;
    assert.equal(await status({}), 200);
    assert.equal(await status({ origin: "http://localhost:9443", "sec-fetch-site": "same-origin" }), 200);
    for (const origin of [
      "http://evil.test",
      "null",
      "https://localhost:9443",
      "http://localhost",
      "http://localhost:9444",
    ]) {
      assert.equal(await status({ origin }), 403, origin);
    }
    assert.equal(await status({ "sec-fetch-site": "cross-site" }), 403);
    assert.equal((await ask(request(STATUS, {}, { "sec-fetch-site": "same-site" }))).status, 403);
  });

  test("an action is what no form can send", async () => {
    const drain = post(`${PREFIX}drain`, {});
    const without = (name: string) => ({
      ...drain,
      headers: new Map([...drain.headers].filter(([field]) => field !== name)),
    });
    const fixture = operated();
    assert.equal((await ask(without("content-type"), fixture)).status, 415);
    assert.equal((await ask(without("x-certless-admin"), fixture)).status, 403);
    assert.equal((await ask(post(`${PREFIX}drain`, {}, { "content-type": "text/plain" }), fixture)).status, 415);
    assert.deepEqual(fixture.done, []);
  });
});
