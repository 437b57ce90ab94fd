/**
 * A process is replaced three times under load: no connection fails. CERTLESS_REPLACE=20000 for the whole, on each row.
 *
 * Rows that cannot take a socket over share its port, and depend on the kernel to move what waits on a closing one
 * (`tcp_migrate_req`): they run in a network namespace where that is on.
 */

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { type Combination, forEachCombination } from "../conformance/harness/combinations.ts";
import { gapOf } from "../conformance/harness/gaps.ts";
import { binary, ROOT } from "../runner/suites.ts";
import type { Outcome } from "./replace_program.ts";

const WHOLE = process.env.CERTLESS_REPLACE;
const CONNECTIONS = Number(WHOLE ?? 2000);
const IN_NAMESPACE = [
  "unshare",
  "-n",
  "sh",
  "-c",
  'ip link set lo up && echo 1 >/proc/sys/net/ipv4/tcp_migrate_req && exec "$0" "$@"',
];

/** Why no namespace can be made here; undefined where one can. */
function whyNoNamespace(): string | undefined {
  const [command = "", ...args] = IN_NAMESPACE;
  return spawnSync(command, [...args, "true"]).status === 0 ? undefined : "no network namespace with tcp_migrate_req";
}

async function outcomeOf(combination: Combination, workers: number): Promise<Outcome> {
  const shares = gapOf(combination, "adopts_sockets") !== undefined;
  const program = [
    binary("node"),
    "test/load/replace_program.ts",
    combination.name,
    String(CONNECTIONS),
    String(workers),
  ];
  const [command = "", ...args] = shares ? [...IN_NAMESPACE, ...program] : program;
  const { stdout } = await promisify(execFile)(command, args, { cwd: ROOT, timeout: 600_000 });
  return JSON.parse(stdout) as Outcome;
}

const noNamespace = whyNoNamespace();

forEachCombination((combination) => {
  const skip = gapOf(combination, "adopts_sockets") === undefined ? false : (noNamespace ?? false);

  for (const workers of WHOLE === undefined ? [2] : [1, 2]) {
    test(`none of ${CONNECTIONS} connections fails, with ${workers} workers`, { skip }, async (t) => {
      const { done, failures, replacements, seconds, stderr } = await outcomeOf(combination, workers);
      t.diagnostic(`${done} connections, ${replacements} replacements, ${seconds.toFixed(1)} s`);
      assert.ok(done >= CONNECTIONS);
      assert.deepEqual(failures, [], stderr.join("\n"));
    });
  }
});
