/**
 * Variables that the service manager sets. Where this process may not read its environment (Deno), there are none.
 */

import process from "node:process";

export function variable(name: string): string | undefined {
  try {
    const value = process.env[name];
    return value === "" ? undefined : value;
  } catch {
    return undefined;
  }
}

/** So that no program started from here takes it for its own. */
export function dropVariable(name: string): void {
  try {
    delete process.env[name];
  } catch {
    // It may not be read either.
  }
}
