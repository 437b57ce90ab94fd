/**
 * Where a documented command line is tried: a directory with the README's configuration, `certless` among the programs,
 * and, where the line asks one, a certless that runs.
 *
 * Owns: all that it starts, which ends with the test. It must not reach beyond the loopback.
 */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { COMBINATIONS, type Combination, commandOf } from "../conformance/harness/combinations.ts";
import { startDnsServer } from "../conformance/harness/dns_server.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import type { Scope } from "../conformance/harness/waiting.ts";
import { ROOT } from "../runner/suites.ts";
import { readDocument } from "./command_lines.ts";
import { standIns, type Tried } from "./command_table.ts";

export interface World {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The line with what stands for its addresses. */
  readonly line: string;
  /** The certless that runs. */
  readonly proxy: RunningProxy | undefined;
}

/** `certless` is the program under Node, unless another runtime was asked for. */
const combination = COMBINATIONS[0] as Combination;

/** The configuration that the README opens with. */
const README_YAML = /^```yaml\n(.*?)^```$/ms.exec(readDocument("README.md"))?.[1] ?? "";

/** What `text` needs. */
export async function worldFor(scope: Scope, text: string, { how, bare }: Tried): Promise<World> {
  const directory = temporaryDirectory(scope);
  const dns = await startDnsServer(scope, { localhost: ["127.0.0.1"] });
  const yaml = `${standingIn(README_YAML, directory)}resolver: { servers: ["${dns.address}"] }\n`;
  // Only what opens them cannot have the README's ports.
  let config =
    how === "alone" && !text.includes("doctor") ? yaml : yaml.replace(/(address: )0\.0\.0\.0:\d+/g, "$1127.0.0.1:0");
  let proxy: RunningProxy | undefined;
  let admin: string | undefined;
  if (how === "asks") {
    config += adminOption(text, directory);
    proxy = await startProxy(scope, combination, { config });
    admin = /^certless: admin interface: (\S+)$/m.exec(proxy.stderr)?.[1];
  }
  if (how === "replaces") {
    proxy = await startProxy(scope, combination, { config });
    // Its ports are known now: who takes them over reads them in the file.
    for (const endpoint of proxy.endpoints) config = config.replace("127.0.0.1:0", endpoint);
  }
  if (bare !== true) writeFileSync(join(directory, "certless.yaml"), config);
  symlinkSync(join(ROOT, "examples"), join(directory, "examples"));
  const programs = putPrograms(directory, proxy);
  const env = { ...process.env, NO_COLOR: "1", PATH: `${programs}${delimiter}${process.env.PATH}` };
  const line = standingIn(text, directory, admin);
  const foreign = /(?<![\w./])\/(?:etc|run|usr|var)\/\S*/.exec(line.replaceAll(directory, "."))?.[0];
  if (foreign !== undefined) throw new Error(`Cannot try ${text}: nothing stands for ${foreign} (standIns)`);
  return { directory, env, line, proxy };
}

function standingIn(text: string, directory: string, admin?: string): string {
  return standIns(directory, admin).reduce((line, [example, local]) => line.replaceAll(example, local), text);
}

/** Where the line looks for the admin interface; a line that names no address finds it by the file. */
function adminOption(text: string, directory: string): string {
  if (!text.includes("http://") || text.includes(".sock"))
    return `admin: { address: "unix:${directory}/admin.sock" }\n`;
  if (!text.includes("certless-admin")) return "admin: { address: 127.0.0.1:0 }\n";
  writeFileSync(join(directory, "token"), "known-to-the-loopback-alone\n");
  return `admin: { address: 127.0.0.1:0, token: { file: "${directory}/token" } }\n`;
}

/** What a line calls by its name. @returns their directory. */
function putPrograms(directory: string, proxy: RunningProxy | undefined): string {
  const programs = join(directory, "bin");
  mkdirSync(programs);
  const put = (name: string, script: string): void => {
    const path = join(programs, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  };
  const [runtime, args] = commandOf(combination, join(ROOT, "adapters/main.ts"));
  put("certless", `exec ${[runtime, ...args].map((arg) => `'${arg}'`).join(" ")} "$@"`);
  // It knows programs by their names, and this one's is that of its runtime.
  put("pidof", `echo ${proxy?.pid ?? ""}`);
  // An error that the proxy answers is one of the line.
  put("curl", `PATH='${process.env.PATH}' exec curl --silent --show-error --fail-with-body --max-time 60 "$@"`);
  return programs;
}
