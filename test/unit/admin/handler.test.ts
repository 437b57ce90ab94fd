import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ErrorAnswer, RoutesAnswer } from "../../../src/admin/api.ts";
import { OPERATIONS, PREFIX } from "../../../src/admin/operations.ts";
import { schemaFault } from "../../../src/admin/schema_check.ts";
import { SCHEMAS } from "../../../src/admin/schemas.ts";
import { ask, NO_NUMBERS, OUTCOME, operated, post, request, SETTINGS } from "./operated_fixture.ts";

const code = ({ body }: { readonly body: unknown }): string => (body as ErrorAnswer).code;

describe("admin handler", () => {
  test("every GET is answered as its schema says", async () => {
    const fixture = operated({ numbers: NO_NUMBERS });
    for (const { method, path, answers, id } of OPERATIONS) {
      if (method !== "GET") continue;
      const query = id === "route" ? "?name=shop.example.test&client=192.0.2.9" : "";
      const { status, body } = await ask(request(`${path}${query}`), fixture);
      assert.equal(status, 200, path);
      const name = answers[200] as string;
      if (!name.includes("/")) assert.equal(schemaFault(body, SCHEMAS[name]!, SCHEMAS), undefined, path);
    }
  });

  test("what nobody counts is not here, and the rest is", async () => {
    for (const path of ["/metrics", `${PREFIX}history`, `${PREFIX}names`]) {
      const said = await ask(request(path));
      assert.deepEqual([said.status, code(said)], [501, "not_here"]);
    }
    assert.equal((await ask(request(`${PREFIX}status`))).status, 200);
  });

  test("no path but those of the table", async () => {
    for (const path of [
      "/api/v1/../status",
      "/api/v1/%73tatus",
      "/api/v1/status/",
      "//api/v1/status",
      "/etc/passwd",
      "/__proto__",
    ]) {
      const said = await ask(request(path));
      assert.deepEqual([said.status, code(said)], [404, "not_found"], path);
    }
    for (const target of ["*", "", "api/v1/status", "/a b", "/\u00e4", "https://localhost/", "/api/v1/status#x"]) {
      assert.equal((await ask(request(target))).status, 400, target);
    }
  });

  test("a target in absolute form counts for its host", async () => {
    assert.equal((await ask(request("http://localhost:9443/healthz", {}, { host: "evil.test" }))).status, 200);
    assert.equal((await ask(request("http://evil.test/healthz"))).status, 403);
  });

  test("another method is told which there are", async () => {
    const said = await ask(request(`${PREFIX}status`, { method: "DELETE" }));
    assert.equal(said.status, 405);
    assert.deepEqual(
      said.response.headers.find(([name]) => name === "Allow"),
      ["Allow", "GET, HEAD"],
    );
    assert.equal((await ask(request(`${PREFIX}reload`))).status, 405);
    assert.equal((await ask(request("/", { method: "POST" }))).status, 405);
    assert.equal((await ask(request("/healthz", { method: "HEAD" }))).status, 200);
  });

  test("parameters that are unknown, doubled, broken or out of bounds are refused", async () => {
    for (const query of [
      "limit=0",
      "limit=1001",
      "limit=x",
      "limit=1&limit=2",
      "nam=a",
      "name=%",
      `name=${"x".repeat(1_025)}`,
    ]) {
      const said = await ask(request(`${PREFIX}connections?${query}`));
      assert.deepEqual([said.status, code(said)], [400, "bad_request"], query);
    }
    assert.equal((await ask(request(`${PREFIX}route`))).status, 400);
    assert.equal((await ask(request(`${PREFIX}route?name=a&port=1`))).status, 400);
    assert.equal((await ask(request(`${PREFIX}route?name=a&client=b`))).status, 400);
    assert.equal((await ask(request(`${PREFIX}log?reason=none`))).status, 400);
  });

  test("actions are done, and said", async () => {
    const fixture = operated();
    assert.deepEqual((await ask(post(`${PREFIX}reload`, {}), fixture)).body, OUTCOME);
    const servers = `${PREFIX}servers`;
    assert.equal(
      (await ask(post(servers, { upstream: "pool", address: "192.0.2.1:443", state: "down" }), fixture)).status,
      200,
    );
    assert.equal(
      (await ask(post(servers, { upstream: "pool", address: "192.0.2.9:443", state: "up" }), fixture)).status,
      404,
    );
    assert.equal((await ask(post(`${PREFIX}close`, { id: 7 }), fixture)).status, 404);
    assert.equal((await ask(post(`${PREFIX}drain`, {}), fixture)).status, 200);
    assert.deepEqual(fixture.done, ["pool 192.0.2.1:443 false", "pool 192.0.2.9:443 true", "drain"]);
    assert.deepEqual(fixture.questions, [{ kind: "close", id: 7 }]);
  });

  test("an action without parameters takes no keys, and says so", async () => {
    const { status, body } = await ask(post(`${PREFIX}drain`, { now: true }), operated());
    assert.deepEqual([status, (body as ErrorAnswer).message], [400, "Cannot use the body: it must have no keys"]);
  });

  test("a refused reload is 422 with its faults; who cannot reload says so", async () => {
    const refused = { ...OUTCOME, ok: false, reason: "Cannot read it" };
    assert.equal((await ask(post(`${PREFIX}reload`, {}), operated({ reload: async () => refused }))).status, 422);
    assert.equal((await ask(post(`${PREFIX}reload`, {}), operated({ reload: undefined }))).status, 501);
    assert.equal((await ask(post(`${PREFIX}drain`, {}), operated({ drain: undefined }))).status, 501);
  });

  test("a body that is not what it must be does nothing", async () => {
    const fixture = operated();
    for (const body of [{}, [], null, { id: "7" }, { id: 7, more: 1 }, { id: -1 }, { id: 1.5 }]) {
      const said = await ask(post(`${PREFIX}close`, body), fixture);
      assert.deepEqual([said.status, code(said)], [400, "bad_request"], JSON.stringify(body));
    }
    assert.equal((await ask({ ...post(`${PREFIX}close`, {}), body: "{" }, fixture)).status, 400);
    assert.deepEqual(fixture.questions, []);
  });

  test("draining is 503 for load balancers", async () => {
    assert.equal((await ask(request("/healthz"), operated({ state: "draining" }))).status, 503);
  });

  test("the page is a choice, and needs no token, but nothing else does without", async () => {
    assert.equal((await ask(request("/"), operated(), { ...SETTINGS, token: "t" })).status, 200);
    assert.equal((await ask(request("/"), operated(), { ...SETTINGS, page: false })).status, 404);
    for (const path of ["/healthz", "/metrics", `${PREFIX}status`, "/nothing"]) {
      assert.equal((await ask(request(path), operated(), { ...SETTINGS, token: "t" })).status, 401, path);
    }
  });

  test("routes are shown by pages, and searched without keeping others waiting", async () => {
    const routes = Array.from({ length: 5_000 }, (_, index) => `  r${index}.example.test: 192.0.2.1`).join("\n");
    const fixture = operated({}, `listeners: [{ address: "127.0.0.1:8443" }]\nroutes:\n${routes}\n`);
    const page = (await ask(request(`${PREFIX}routes?offset=4998&limit=5`), fixture)).body as RoutesAnswer;
    assert.deepEqual([page.total, page.routes.length, page.routes[2]?.route], [5_001, 3, "default"]);
    const found = (await ask(request(`${PREFIX}routes?query=r499&limit=1`), fixture)).body as RoutesAnswer;
    assert.deepEqual([found.total, found.routes.length], [11, 1]);
    assert.ok(fixture.done.length >= 2);
  });

  test("whatever is asked, it is answered, and never by a fault of ours", async () => {
    const paths = [...OPERATIONS.map(({ path }) => path), "/", `${PREFIX}openapi.json`];
    const target = fc.oneof(
      fc.constantFrom(...paths),
      fc.string(),
      fc.tuple(fc.constantFrom(...paths), fc.webQueryParameters()).map(([path, query]) => `${path}?${query}`),
      fc
        .tuple(
          fc.constantFrom(...paths),
          fc.constantFrom("name", "limit", "offset", "query", "client", "port", "reason"),
          fc.string(),
        )
        .map(([path, name, value]) => `${path}?${name}=${encodeURIComponent(value)}`),
    );
    const fields = fc.dictionary(
      fc.constantFrom(
        "host",
        "origin",
        "sec-fetch-site",
        "content-type",
        "authorization",
        "x-certless-admin",
        "cookie",
      ),
      fc.oneof(
        fc.string(),
        fc.constantFrom("localhost", "application/json", "Bearer t", "http://localhost", "same-origin"),
      ),
    );
    const body = fc.oneof(fc.string(), fc.json(), fc.constantFrom('{"id":1}', "{}"));
    const fixture = operated();
    const method = fc.oneof(fc.constantFrom("GET", "HEAD", "POST", "PUT", "OPTIONS"), fc.string());
    await fc.assert(
      fc.asyncProperty(target, fields, body, method, fc.boolean(), async (where, extra, text, how, needsToken) => {
        const settings = { ...SETTINGS, token: needsToken ? "t" : undefined };
        const { response } = await ask(request(where, { method: how, body: text }, extra), fixture, settings);
        assert.notEqual(response.status, 500, response.body);
        const type = response.headers.find(([name]) => name === "Content-Type")?.[1] ?? "";
        assert.match(type, /^(?:application\/json|text\/(?:html|plain))/);
        for (const [, value] of response.headers) assert.match(value, /^[\x20-\x7e]*$/);
      }),
      { numRuns: 500 },
    );
  });
});
