/** `npm pack`, unpacked into another program's node_modules: the command, the library, its types. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../runner/suites.ts";
import { assertWorks, run, runScript, runtimesUnderTest, start } from "./program.ts";

/** A program of somebody else's that uses the library as the documentation says. */
const consumer = (runtime: string): string => `
import { createProxy, type RunningProxy } from "certless";
import { createHost } from "certless/host";
import { ${runtime}Adapter as adapter } from "certless/${runtime}";

const proxy: RunningProxy = await createProxy(
  { listeners: [{ address: "127.0.0.1:0" }], routes: { default: "reject" }, log: { access: false } },
  { adapter, host: createHost() },
);
const [endpoint] = proxy.endpoints;
if (endpoint?.kind !== "tcp" || endpoint.port === 0) throw new Error("it does not listen");
await proxy.stop();
`;

describe("the npm package", () => {
  let home = "";
  let unpacked = "";

  before(async () => {
    home = mkdtempSync(join(tmpdir(), "certless-package-"));
    // Told apart from \`npm pack\` itself, which hides what its scripts say.
    for (const script of ["bundle", "lib"] as const) {
      const built = await runScript(script);
      assert.equal(built.status, 0, `${script}: ${built.stdout}${built.stderr}`);
    }
    const packed = await run("npm", ["pack", "--ignore-scripts", "--silent", `--pack-destination=${home}`]);
    assert.equal(packed.status, 0, packed.stderr);
    unpacked = join(home, "node_modules/certless");
    mkdirSync(unpacked, { recursive: true });
    const tarball = join(home, `certless-${packageJson.version}.tgz`);
    const untarred = await run("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components=1"]);
    assert.equal(untarred.status, 0, untarred.stderr);
    for (const name of [...Object.keys(packageJson.dependencies), "@peculiar", "@types", "undici-types"]) {
      symlinkSync(join(ROOT, "node_modules", name), join(home, "node_modules", name));
    }
    writeFileSync(join(home, "package.json"), JSON.stringify({ type: "module", dependencies: { certless: "*" } }));
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  test("holds what runs, its documents and nothing else", () => {
    const entries = readdirSync(unpacked, { recursive: true, encoding: "utf8" });
    const files = entries.filter((entry) => statSync(join(unpacked, entry)).isFile());
    for (const needed of ["package.json", "LICENSE", "CHANGELOG.md", packageJson.bin.certless]) {
      assert.ok(files.includes(needed), `${needed} is missing`);
    }
    const surplus = files.filter(
      (file) =>
        !/^(?:dist\/(?:certless\.js|lib\/(?:package\.json|src\/admin\/page\/assets\.json|.*\.(?:js|d\.ts)))|[^/]+\.(?:md|json)|LICENSE)$/.test(
          file,
        ),
    );
    assert.deepEqual(surplus, []);
  });

  test("everything that package.json points to is there", () => {
    const targets = Object.values(packageJson.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : Object.values(entry),
    );
    for (const target of targets) assert.ok(statSync(join(unpacked, target)).isFile(), target);
  });

  for (const runtime of runtimesUnderTest()) {
    test(`the command works on ${runtime}`, () =>
      assertWorks(start(runtime, join(unpacked, packageJson.bin.certless)), runtime, { cwd: home }));

    test(`the library works on ${runtime}`, async () => {
      writeFileSync(join(home, `${runtime}.ts`), consumer(runtime));
      const [file, ...args] = start(runtime, `${runtime}.ts`);
      const ended = await run(file, args, { cwd: home });
      assert.equal(ended.status, 0, ended.stderr);
    });
  }

  test("its types hold in a strict program", async () => {
    writeFileSync(join(home, "types.ts"), consumer("node"));
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const options = ["--strict", "--target", "es2023", "--module", "nodenext", "--types", "node", "--noEmit"];
    const checked = await run(tsc, [...options, "types.ts"], { cwd: home });
    assert.equal(checked.status, 0, checked.stdout);
  });
});
