import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "../../../src/cli/cli.ts";
import { fakeWorld } from "./fake_host.ts";

const FILE = `listeners: [{ address: "127.0.0.1:443" }]
routes: { a.test: "10.0.0.1:443" }
`;

async function permissions(args: string[], text = FILE) {
  const { context, out, err } = fakeWorld({ "certless.yaml": text, "a b.yaml": text });
  const code = await runCli(["permissions", ...args], context);
  return { code, out: out(), err: err() };
}

test("one line that a shell takes", async () => {
  assert.deepEqual(await permissions(["--adapter", "deno"]), {
    code: 0,
    out: "deno run --no-prompt --allow-net=10.0.0.1:443,127.0.0.1:443 --allow-read=/proc/self/limits,certless.yaml,dist/certless.js --allow-env=LOG_STREAM,LOG_TOKENS --allow-sys=networkInterfaces dist/certless.js run certless.yaml --adapter deno\n",
    err: "",
  });
  assert.match((await permissions(["a b.yaml"])).out, / run 'a b.yaml' --adapter linux\n$/);
  assert.match((await permissions([], FILE.replace("127.0.0.1:", "[::1]:"))).out, / '--allow-net=\[::1\]:443' /);
});

test("adapters that Deno does not run", async () => {
  const { code, err } = await permissions(["--adapter", "bun"]);
  assert.equal(code, 2);
  assert.match(err, /^Cannot print permissions for the adapter "bun": Deno runs linux and deno\n/);
});
