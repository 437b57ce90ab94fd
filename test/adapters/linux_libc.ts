/**
 * libc in the tests of the linux adapter: whether there is one here, and one that counts or refuses.
 *
 * Owns: nothing but that.
 */

import { type Libc, type LibcFunctions, openLibc } from "../../adapters/linux/ffi.ts";

/** libc, or why there is none here. */
export async function libcOrReason(): Promise<Libc | string> {
  try {
    return await openLibc();
  } catch (error) {
    return (error as Error).message;
  }
}

export type FunctionName = keyof LibcFunctions;

export interface SpiedLibc {
  readonly libc: Libc;
  /** Calls so far. */
  count(name: FunctionName): number;
  /** From now on `name` fails with `errno`; 0 lets it through again. */
  refuse(name: FunctionName, errno: number): void;
}

export function spyOn(real: Libc, names: readonly FunctionName[]): SpiedLibc {
  const counts = new Map<FunctionName, number>();
  const refused = new Map<FunctionName, number>();
  const spied: Record<string, (...values: never[]) => number> = {};
  for (const name of names) {
    const call = real[name] as (...values: never[]) => number;
    spied[name] = (...values) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      const errno = refused.get(name) ?? 0;
      if (errno === 0) return call(...values);
      real.errno[0] = errno;
      return -1;
    };
  }
  return {
    libc: { ...real, ...spied },
    count: (name) => counts.get(name) ?? 0,
    refuse: (name, errno) => void refused.set(name, errno),
  };
}
