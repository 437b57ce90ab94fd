/**
 * What a process and its descendants have used: CPU time and memory, from /proc (proc(5)).
 *
 * Owns: the reading. It compares nothing and knows no proxy. Runs in the load generator as well, next to what it measures.
 */

import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ: what the kernel counts in for user space, on every architecture that certless runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process tree at one moment. */
export interface CpuTime {
  /** utime + stime of /proc/PID/stat, ended threads included; in steps of 10 ms. */
  readonly coarse: number;
  /** Seconds of each living thread, exact: the first field of its schedstat. */
  readonly threads: ReadonlyMap<string, number>;
}

/** `root` and all its descendants, parents first; those that are gone are left out. */
export function processTree(root: number): number[] {
  const tree = [root];
  for (let at = 0; at < tree.length; at++) tree.push(...children(tree[at]!));
  return tree.filter((pid) => read(`/proc/${pid}/stat`) !== undefined);
}

function children(pid: number): number[] {
  return threads(pid).flatMap((thread) =>
    (read(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean).map(Number),
  );
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** CPU time of these processes up to now. */
export function cpuTime(pids: readonly number[]): CpuTime {
  const exact = new Map<string, number>();
  let ticks = 0;
  for (const pid of pids) {
    // The name, field 2, may hold blanks and parentheses: count from behind it. utime is field 14, stime 15.
    const stat = read(`/proc/${pid}/stat`) ?? "";
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    for (const thread of threads(pid)) {
      const nanoseconds = Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(" ")[0]);
      if (nanoseconds > 0) exact.set(`${pid}/${thread}`, nanoseconds / 1e9);
    }
  }
  return { coarse: ticks / TICKS_PER_SECOND, threads: exact };
}

/** Seconds between two moments: exact where no thread ended in between, else to 10 ms. */
export function cpuSeconds(from: CpuTime, to: CpuTime): number {
  const whole = to.threads.size > 0 && [...from.threads.keys()].every((thread) => to.threads.has(thread));
  if (!whole) return to.coarse - from.coarse;
  return [...to.threads].reduce((sum, [thread, seconds]) => sum + seconds - (from.threads.get(thread) ?? 0), 0);
}

/** Seconds that these cores have been busy for anybody; in steps of 10 ms, by what the clock's ticks saw. */
export function coreSeconds(cores: readonly number[]): number {
  const lines = (read("/proc/stat") ?? "").split("\n");
  const ticks = cores.map((core) => {
    const line = lines.find((one) => one.startsWith(`cpu${core} `)) ?? "";
    const [, user, nice, system, , , irq, softirq, steal] = line.split(" ").map(Number);
    return (user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0) + (steal ?? 0);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

/** Proportional set size of these processes, bytes: what they share is counted once. Kernel memory is not in it. */
export function pssBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const found = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "");
    return sum + Number(found?.[1] ?? 0) * 1024;
  }, 0);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
