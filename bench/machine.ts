/**
 * Where the numbers were made: the machine and everyone's versions.
 *
 * Owns: the description. Nothing that names the machine or a person is in it.
 */

import { cpus, release, totalmem } from "node:os";
import { binary, type Runtime } from "../test/runner/suites.ts";
import type { Contender } from "./contenders.ts";
import { findProgram, versionOf } from "./programs.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly gib: number;
  readonly kernel: string;
}

export function describeMachine(): Machine {
  const gib = Math.round(totalmem() / 2 ** 30);
  return { cpu: cpus()[0]?.model.trim() ?? "unknown", cores: cpus().length, gib, kernel: release() };
}

/** `nginx 1.22.1`, `bun 1.4.5`; empty for a direct connection. */
export function versionOfContender({ name, kind }: Contender): string {
  if (kind === "direct") return "";
  const word = name.replace(/\+.*$/, "").replace(/^.*@/, "").replace(/-.*$/, "");
  if (kind === "certless") return `${word} ${versionOf(binary(word as Runtime), "--version") ?? ""}`.trim();
  try {
    const version = versionOf(findProgram(word), word === "sniproxy" ? "-V" : "-v");
    return `${word} ${version ?? ""}`.trim();
  } catch {
    return word;
  }
}
