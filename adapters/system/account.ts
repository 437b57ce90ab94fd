/**
 * Users and groups: finding one, and becoming one for good.
 *
 * Owns: the order (groups, group, user), and the proof afterwards. It must not go on where the system says that
 * something of the former user is left. Accounts are those of /etc/passwd and /etc/group, or numbers.
 */

import { chownSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Account } from "../../src/system.ts";
import { NoLibcError, openLibc } from "../linux/ffi.ts";

/** Fields of the line that begins with `name`, or has `name` as its number. */
export function findEntry(table: string, name: string): string[] | undefined {
  const entries = table.split("\n").map((line) => line.split(":"));
  return (
    entries.find((fields) => fields[0] === name) ??
    (/^[0-9]+$/.test(name) ? entries.find((fields) => fields[2] === name) : undefined)
  );
}

/** @throws {Error} with a phrase. */
export function findAccount(user: string | undefined, group: string | undefined): Account {
  const entry = user === undefined ? undefined : findEntry(read("/etc/passwd"), user);
  const uid = entry?.[2] ?? numberOnly(user) ?? String(process.getuid?.() ?? 0);
  if (user !== undefined && entry === undefined && numberOnly(user) === undefined) {
    throw new Error(`there is no user ${user}`);
  }
  const groupEntry = group === undefined ? undefined : findEntry(read("/etc/group"), group);
  const gid = group === undefined ? entry?.[3] : (groupEntry?.[2] ?? numberOnly(group));
  if (gid === undefined) {
    throw new Error(
      group === undefined ? `user ${user} has no entry that names its group` : `there is no group ${group}`,
    );
  }
  return { uid: Number(uid), gid: Number(gid), text: `${entry?.[0] ?? uid}:${groupEntry?.[0] ?? gid}` };
}

function numberOnly(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? text : undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Files that the account is to open anew later; one that cannot be given stays as it is. */
export function giveFiles(paths: readonly string[], { uid, gid }: Account): void {
  for (const path of paths) {
    try {
      chownSync(path, uid, gid);
    } catch {
      // Not ours to give, or no file.
    }
  }
}

/** libc's own calls where it can be called, since Deno has no `setgroups`; all of them reach every thread (nptl(7)). */
export async function becomeAccount(account: Account): Promise<void> {
  const { uid, gid } = account;
  if (process.setuid === undefined || process.setgid === undefined) throw new Error("this runtime has no way to");
  try {
    await dropGroups(gid);
    process.setgid(gid);
    process.setuid(uid);
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error));
  }
  const left = whatIsLeft(account);
  if (left !== undefined) throw new Error(left);
}

async function dropGroups(gid: number): Promise<void> {
  // Only root may, and only root has to: another user's groups stay its own.
  if (process.getuid?.() !== 0) return;
  if (typeof process.setgroups === "function") {
    process.setgroups([gid]);
    return;
  }
  try {
    const libc = await openLibc();
    const list = libc.allocate(4);
    new DataView(list.bytes.buffer, list.bytes.byteOffset, 4).setUint32(0, gid, true);
    if (libc.setgroups(1, list.address) < 0) throw new Error("setgroups failed");
  } catch (error) {
    if (!(error instanceof NoLibcError)) throw error;
    // What is left of them then is seen by `whatIsLeft`.
  }
}

/** Read from each thread's own status: the numbers must be those asked for, and nothing else. */
function whatIsLeft(account: Account): string | undefined {
  for (const thread of threads()) {
    const found = stillHeld(read(`/proc/self/task/${thread}/status`), account);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a thread has besides the account, as a phrase; `status` is proc(5)'s, empty for a thread that is gone. */
export function stillHeld(status: string, { uid, gid }: Account): string | undefined {
  const numbers = (name: string): number[] =>
    (new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1] ?? "").trim().split(/\s+/).filter(Boolean).map(Number);
  if (numbers("Uid").some((id) => id !== uid)) return "a thread still is the former user";
  if (numbers("Gid").some((id) => id !== gid)) return "a thread still has the former group";
  const groups = numbers("Groups").filter((id) => id !== gid);
  if (groups.length === 0) return undefined;
  return `supplementary groups ${groups.join(", ")} cannot be dropped (on Deno this needs --allow-ffi)`;
}

function threads(): string[] {
  try {
    return readdirSync("/proc/self/task");
  } catch {
    return [];
  }
}
