/** What the documentation tells people to type works as it stands there, and what there is to type is documented. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test } from "node:test";
import packageJson from "../../package.json" with { type: "json" };
import { COMMANDS, runCli } from "../../src/cli/cli.ts";
import { needsPrograms } from "../clients/tools.ts";
import { Changes, type Scope } from "../conformance/harness/waiting.ts";
import { type Ended, run } from "../packaging/program.ts";
import { fakeWorld } from "../unit/cli/fake_host.ts";
import { type CommandLine, commandLines, DOCUMENTS, linesOfPage, readDocument } from "./command_lines.ts";
import { ROWS, type Row, type Tried } from "./command_table.ts";
import { type World, worldFor } from "./command_world.ts";

/** Milliseconds for one line; the machine may be busy. */
const DEADLINE = 60_000;

const lines = commandLines();
const rowOf = ({ text }: CommandLine): Row | undefined => ROWS.find(({ line }) => line.test(plain(text)));

/** In one line, without the comment; the shell gets both as they stand. */
function plain(text: string): string {
  return text.replace(/ +#.*$/, "").replace(/\s*\\\n\s*/g, " ");
}

describe("documented command lines", { concurrency: 4 }, () => {
  test("each is tried, or it is said why not; no row is out of date", () => {
    const unknown = lines.filter((line) => rowOf(line) === undefined);
    const idle = ROWS.filter((row) => !lines.some((line) => rowOf(line) === row));
    const faults = [
      ...unknown.map(({ where, text }) => `${where}: nobody tries ${JSON.stringify(text)}: give it a row in ROWS`),
      ...idle.map(({ line }) => `${line}: no documented line needs this row of ROWS: take it out`),
    ];
    assert.equal(faults.length, 0, `\n${faults.join("\n")}\n(ROWS is in test/docs/command_table.ts)`);
  });

  for (const line of lines) {
    const row = rowOf(line);
    if (row === undefined || "because" in row) continue;
    const options = row.needs === undefined ? {} : needsPrograms(row.needs);
    test(`${line.where}: ${plain(line.text)}`, options, async (t) => {
      const world = await worldFor(t, line.text, row);
      const ended = row.how === "serves" || row.how === "replaces" ? await served(t, world) : await toItsEnd(world);
      assertAsTold(world, row, ended);
      if (row.ends === true || row.how === "replaces")
        assert.equal((await world.proxy?.waitForExit(DEADLINE))?.code, 0);
    });
  }
});

async function toItsEnd({ directory, env, line }: World): Promise<Ended> {
  return await run("sh", ["-c", line], { cwd: directory, env: env as Record<string, string>, deadline: DEADLINE });
}

/** Until it listens; then it is ended as a service manager would do it. */
async function served(scope: Scope, { directory, env, line, proxy }: World): Promise<Ended> {
  const changes = new Changes();
  // The shell becomes the program: the process is the same.
  const child = spawn("sh", ["-c", `exec ${line}`], { cwd: directory, env, stdio: ["ignore", "ignore", "pipe"] });
  scope.after(() => void child.kill("SIGKILL"));
  let stderr = "";
  let status: number | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    changes.notify();
  });
  child.on("close", (code) => {
    status = code ?? -1;
    changes.notify();
  });
  const ready = proxy === undefined ? /^certless: access log: / : new RegExp(`process ${proxy.pid} is replaced`);
  const isReady = (): true | undefined =>
    status !== undefined || new RegExp(ready, "m").test(stderr) ? true : undefined;
  await changes.until(() => `${ready} of ${line}; it said:\n${stderr}`, isReady, DEADLINE);
  child.kill("SIGTERM");
  await changes.until(
    () => `the end of ${line}; it said:\n${stderr}`,
    () => status,
    DEADLINE,
  );
  return { status, stdout: stderr, stderr: "" };
}

function assertAsTold({ line }: World, { says, exits = [0] }: Tried, { status, stdout, stderr }: Ended): void {
  const story = `${line}\nended with ${status} and said:\n${stdout}${stderr}`;
  assert.ok(status !== undefined && exits.includes(status), story);
  assert.match(stdout, says, story);
  assert.equal(stderr, "", story);
}

test("the lines of a page are found: comments, lines that go on, other blocks", () => {
  const page = ["# A", "```sh", "# alone", "a 1  # why", "", "b \\", "  2", "```", "```yaml", "c: 3", "```", ""].join(
    "\n",
  );
  assert.deepEqual(linesOfPage("a.md", page), [
    { where: "a.md:4", text: "a 1  # why" },
    { where: "a.md:6", text: "b \\\n  2" },
  ]);
});

describe("help", () => {
  for (const name of [undefined, ...COMMANDS.keys()]) {
    test(`certless ${name ?? ""} --help fits 100 columns, and names every option`, async () => {
      const { context, out } = fakeWorld({});
      assert.equal(await runCli(name === undefined ? ["--help"] : [name, "--help"], context), 0);
      const text = out();
      const wide = text.split("\n").filter((line) => line.length > 100 || /\s$/.test(line));
      assert.deepEqual(wide, [], "lines over 100 columns, or with blanks at the end");
      const options = Object.keys(name === undefined ? {} : COMMANDS.get(name)!.options);
      const untold = options.filter((option) => !new RegExp(`^ +(?:-\\w, )?--${option}\\b`, "m").test(text));
      assert.deepEqual(untold, [], "options that it does not explain");
    });
  }
});

describe("commands", () => {
  const table = /^\| command \| what it does \|\n(.*?)\n\n/ms.exec(readDocument("README.md"))?.[1] ?? "";

  test("the README's table has every command, and no other", () => {
    const told = namesIn(table);
    assert.deepEqual(told.toSorted(), [...COMMANDS.keys()].toSorted());
  });

  test("every option that a page gives to a command is one", () => {
    const faults = DOCUMENTS.flatMap((path) =>
      [...readDocument(path).matchAll(/`certless (\w+)([^`\n]*)`/g)].flatMap(([whole, name = "", rest = ""]) => {
        const { options } = COMMANDS.get(name) ?? { options: undefined };
        if (options === undefined) return [`${path}: ${whole}: there is no command ${name}`];
        const given = [...rest.matchAll(/--([a-z-]+)/g)].map(([, option = ""]) => option);
        return given
          .filter((option) => !(option in options))
          .map((option) => `${path}: ${whole}: no option --${option}`);
      }),
    );
    assert.deepEqual(faults, []);
  });

  test("every npm script that a page names is one of package.json", () => {
    const named = DOCUMENTS.flatMap((path) =>
      [...readDocument(path).matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)].map(
        ([, script, short]) => script ?? short ?? "",
      ),
    );
    assert.deepEqual(
      [...new Set(named)].filter((name) => !(name in packageJson.scripts)),
      [],
    );
  });
});

/** Of the first column. */
function namesIn(table: string): string[] {
  const cells = table
    .split("\n")
    .slice(1)
    .map((row) => row.split(" | ")[0] ?? "");
  return cells.flatMap((cell) => [...cell.matchAll(/`certless (\w+)/g)].map(([, name = ""]) => name));
}
