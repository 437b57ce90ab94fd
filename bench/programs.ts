/**
 * The peers' programs on this machine: where they are, what they were built with, which versions.
 *
 * Owns: the search. It installs nothing.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** The program's path. @throws {Error} where it is not installed. */
export function findProgram(name: string): string {
  // Daemons often stand where a user's PATH does not lead.
  const directories = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error("it is not installed");
  return found;
}

/** The line that gives nginx its stream module; empty where it is built in. @throws {Error} where there is none. */
export function nginxModule(nginx: string): string {
  if (existsSync(NGINX_STREAM_MODULE)) return `load_module ${NGINX_STREAM_MODULE};`;
  const { stderr } = spawnSync(nginx, ["-V"], { encoding: "utf8" });
  if (/--with-stream(?:\s|$)/.test(stderr)) return "";
  throw new Error("it has no stream module; Debian's is in libnginx-mod-stream");
}

/** What the peers and runtimes call themselves, for the report. */
export function versionOf(file: string, flag: string): string | undefined {
  const { stdout, stderr } = spawnSync(file, [flag], { encoding: "utf8", timeout: 5000 });
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0];
}
