/** The host of the runtime that runs this file. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, test } from "node:test";
import { createHost } from "../../adapters/host.ts";
import { runtimeName } from "../../adapters/select.ts";
import { toIoError } from "../../adapters/shared/io_error.ts";
import type { IoError } from "../../src/errors.ts";
import { until } from "./peers.ts";

const host = createHost();
const directory = mkdtempSync(join(tmpdir(), "certless-host-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string): string => join(directory, name);

async function failure(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "no failure",
    (error: IoError) => error.code,
  );
}

describe("host", () => {
  test("says what it runs on", () => {
    assert.match(host.runtime, new RegExp(`^${runtimeName()} \\d+\\.\\d+\\.\\d+$`));
    assert.match(host.version, /^\d+\.\d+\.\d+/);
    assert.equal(host.env.PATH, process.env.PATH);
    assert.equal(host.env.CERTLESS_NO_SUCH_VARIABLE, undefined);
  });

  test("reads files, and says why not", async () => {
    writeFileSync(file("a.yaml"), "größe: 1\n");
    assert.equal(await host.readTextFile(file("a.yaml")), "größe: 1\n");
    assert.equal(await failure(host.readTextFile(file("b.yaml"))), "ENOENT");
    assert.equal(await failure(host.readTextFile(directory)), "EISDIR");
  });

  test("parses arguments", () => {
    const options = { keep: { type: "boolean" }, port: { type: "string", short: "p" } } as const;
    const parsed = host.parseArgs(["run", "--keep", "-p", "443", "a.yaml"], options);
    assert.deepEqual({ ...parsed.values }, { keep: true, port: "443" });
    assert.deepEqual(parsed.positionals, ["run", "a.yaml"]);
    assert.throws(() => host.parseArgs(["--unknown"], options), /unknown/);
  });

  test("knows its interfaces, its limit and IDNA", () => {
    assert.ok(host.interfaceAddresses().includes("127.0.0.1"));
    assert.ok(host.interfaceAddresses().every((address) => !address.includes("%")));
    if (process.platform === "linux") assert.ok(host.descriptorLimit()! > 0);
    const { resident, descriptors, descriptorLimit } = host.resources();
    assert.ok(resident > 1_000_000);
    if (process.platform === "linux") assert.ok(descriptors! > 2 && descriptorLimit === host.descriptorLimit());
    assert.equal(host.domainToAscii("BÜCHER.example"), "xn--bcher-kva.example");
    assert.equal(host.domainToAscii("exa mple"), "");
  });

  test("hears signals until it is told to stop", async () => {
    let [heard, witnessed] = [0, 0];
    const stop = host.onSignal("SIGUSR1", () => heard++);
    const keep = host.onSignal("SIGUSR1", () => witnessed++);
    process.kill(process.pid, "SIGUSR1");
    await until(() => heard === 1 && witnessed === 1, "the signal, for both");
    stop();
    process.kill(process.pid, "SIGUSR1");
    await until(() => witnessed === 2, "the second signal");
    assert.equal(heard, 1);
    keep();
  });
});

describe("io errors", () => {
  test("take the system's name from whatever was thrown", () => {
    const named = (name: string, code?: unknown) => Object.assign(new Error("why"), { name, code });
    assert.deepEqual(toIoError(named("Error", "ECONNREFUSED")), { code: "ECONNREFUSED", message: "why" });
    assert.equal(toIoError(named("AddrInUse")).code, "EADDRINUSE");
    assert.equal(toIoError(named("NotCapable")).code, "ENOTCAPABLE");
    assert.equal(toIoError(named("AbortError", 20)).code, "ECANCELED");
    assert.equal(toIoError(named("Error", "EAI_AGAIN")).code, "EAI_AGAIN");
    assert.equal(toIoError(named("TypeError", "ERR_INVALID_ARG_TYPE")).code, "EUNKNOWN");
    assert.deepEqual(toIoError("plain"), { code: "EUNKNOWN", message: "plain" });
    assert.equal(toIoError(undefined).code, "EUNKNOWN");
    assert.equal(toIoError(named("constructor")).code, "EUNKNOWN");
    const plain: IoError = { code: "EPIPE", message: "gone" };
    assert.deepEqual(toIoError(plain), plain);
  });
});

describe("log sink", () => {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);

  const lines = (name: string): string[] => readFileSync(file(name), "utf8").split("\n").slice(0, -1);

  test("appends lines in order, some at once and the rest in time", async () => {
    writeFileSync(file("a.log"), "old\n");
    const sink = host.openLog(file("a.log"), warn);
    sink.write("one");
    sink.write("zwei ü");
    assert.deepEqual(lines("a.log"), ["old"]);
    await until(() => lines("a.log").length >= 3, "the lines");
    assert.deepEqual(lines("a.log"), ["old", "one", "zwei ü"]);
    sink.write("three");
    await sink.flush();
    assert.equal(lines("a.log").at(-1), "three");
    for (let i = 0; i < 50_000; i++) sink.write(`line ${i}`);
    await sink.close();
    const all = lines("a.log").slice(4);
    assert.equal(all.length, 50_000);
    assert.ok(all.every((line, index) => line === `line ${index}`));
    assert.equal(sink.dropped, 0);
    sink.write("too late");
    await sink.close();
    assert.equal(sink.dropped, 1);
  });

  test("reopens its path after a rotation, and loses nothing", async () => {
    const sink = host.openLog(file("r.log"), warn);
    sink.write("first");
    await sink.flush();
    renameSync(file("r.log"), file("r.log.1"));
    for (let i = 0; i < 20_000; i++) sink.write("second");
    sink.reopen();
    sink.write("third");
    await sink.close();
    const [former, latter] = [lines("r.log.1"), lines("r.log")];
    assert.equal(former[0], "first");
    assert.equal(latter.at(-1), "third");
    assert.equal(former.length + latter.length, 20_002);
  });

  test("says so, once, when the target takes nothing", { skip: !existsSync("/dev/full") }, async () => {
    warnings.length = 0;
    const sink = host.openLog("/dev/full", warn);
    for (let turn = 0; turn < 3; turn++) {
      sink.write("lost");
      await sink.flush();
    }
    await sink.close();
    assert.equal(sink.dropped, 3);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^Cannot write the log \/dev\/full: .*no space left/i);
  });

  test("keeps the former file where the path cannot be opened", async () => {
    const sink = host.openLog(file("k.log"), warn);
    renameSync(file("k.log"), file("k.log.1"));
    writeFileSync(file("k.log"), "");
    rmSync(file("k.log"));
    const { mkdirSync } = await import("node:fs");
    mkdirSync(file("k.log"));
    sink.reopen();
    sink.write("still here");
    await sink.close();
    assert.deepEqual(lines("k.log.1"), ["still here"]);
  });

  test("cannot be opened", () => {
    assert.throws(
      () => host.openLog(join(directory, "no", "such.log"), warn),
      (error: IoError) => error.code === "ENOENT",
    );
    chmodSync(directory, 0o755);
  });

  const start = (...args: string[]): ChildProcess => {
    const program = join(import.meta.dirname, "log_program.ts");
    const run = runtimeName() === "deno" ? ["run", "-A", "--no-check", program] : [program];
    return spawn(process.execPath, [...run, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  };

  const finished = async (child: ChildProcess): Promise<{ code: number; out: string; err: string }> => {
    let [out, err] = ["", ""];
    child.stdout?.on("data", (chunk) => {
      out += String(chunk);
    });
    child.stderr?.on("data", (chunk) => {
      err += String(chunk);
    });
    const [code] = await once(child, "close");
    return { code, out, err };
  };

  test("stdout has every line though the process exits at once", async () => {
    const { code, out } = await finished(start("exit"));
    assert.equal(code, 3);
    assert.equal(out.split("\n").length, 1001);
    assert.ok(out.endsWith("line 999\n"));
  });

  test("its timer keeps no process alive, and the line comes", async () => {
    const began = performance.now();
    const { code, out } = await finished(start("idle"));
    assert.deepEqual([code, out], [0, "last\n"]);
    assert.ok(performance.now() - began < 10_000);
  });

  test("a reader that stands still: the queue is bounded, and the log says what is missing", async () => {
    const child = start("stuck");
    let err = "";
    child.stderr?.on("data", (chunk) => {
      err += String(chunk);
    });
    await until(() => /^dropped \d+\n/.test(err), "what it has dropped", 60_000);
    const { code, out } = await finished(child);
    assert.equal(code, 0, err);
    const dropped = Number(/dropped (\d+)/.exec(err)?.[1]);
    assert.ok(dropped > 10_000 && dropped < 40_000, err);
    const all = out.split("\n").slice(0, -1);
    assert.equal(all.at(-1), "recovered");
    assert.equal(all.at(-2), `warning: ${dropped} log lines were dropped: the log could not be written in time`);
    assert.equal(all.length, 40_000 - dropped + 2);
    assert.ok(all.slice(0, -2).every((line, index) => line.startsWith(`${index} xx`)));
  });

  test("a reader that went away ends nothing but the log", async () => {
    const child = start("broken");
    child.stdout?.destroy();
    let err = "";
    child.stderr?.on("data", (chunk) => {
      err += String(chunk);
    });
    const [code] = await once(child, "exit");
    assert.equal(code, 4, err);
  });
});
