import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfigFile } from "../../src/config_file.ts";
import { fakeWorld } from "./cli/fake_host.ts";

const LISTENERS = "listeners: [{ address: 10.0.0.5:443 }]\n";

function read(files: Readonly<Record<string, string>>, path = "etc/c.yaml") {
  return readConfigFile(fakeWorld(files).context.host, path);
}

test("included files are found beside the file that names them, in the order of their names", async () => {
  const found = await read({
    "etc/c.yaml": `include: [conf.d/*.yaml, more.yaml, conf.d/b.yaml]\n${LISTENERS}`,
    "etc/conf.d/b.yaml": "routes: { b.test: direct }\n",
    "etc/conf.d/a.yaml": "routes: { a.test: direct }\n",
    "etc/conf.d/a.yaml.bak": "routes: nonsense\n",
    "etc/more.yaml": "upstreams: {}\n",
  });
  assert.ok("config" in found, JSON.stringify(found));
  assert.deepEqual(found.files, [
    "etc/c.yaml",
    "etc/conf.d",
    "etc/conf.d/a.yaml",
    "etc/conf.d/b.yaml",
    "etc/more.yaml",
  ]);
});

test("a pattern may mean nothing, a file must be there", async () => {
  const main = `include: conf.d/*.yaml\n${LISTENERS}routes: {}\n`;
  assert.ok("config" in (await read({ "etc/c.yaml": main, "etc/conf.d/readme": "" })));
  assert.deepEqual(await read({ "etc/c.yaml": main }), {
    reason: "Cannot read etc/conf.d: there is no such directory",
    code: "",
  });
  assert.deepEqual(await read({ "etc/c.yaml": main.replace("conf.d/*", "x") }), {
    reason: "Cannot read etc/x.yaml: there is no such file",
    code: "",
  });
  assert.deepEqual(await read({}), { reason: "Cannot read etc/c.yaml: there is no such file", code: "ENOENT" });
});

test("with faults, too, it is known which files they may be mended in", async () => {
  const found = await read({ "etc/c.yaml": `include: x.yaml\n${LISTENERS}`, "etc/x.yaml": "routes: 7\n" });
  assert.ok("errors" in found && found.errors.some(({ path }) => path === "etc/x.yaml"));
  assert.deepEqual(found.files, ["etc/c.yaml", "etc/x.yaml"]);
});
