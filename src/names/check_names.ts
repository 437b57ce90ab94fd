/**
 * Whether the names of a configuration resolve.
 *
 * Owns: the question and its words. What to do about it is the caller's: a name may come later, and so may the resolver.
 */

import type { IoError } from "../errors.ts";
import type { NameCache } from "./name_cache.ts";

/** A name that does not resolve, and what to say about it. */
export interface NameFault {
  readonly message: string;
  /** Somebody who knows has said that there is no such name; otherwise nobody answered. */
  readonly final: boolean;
}

/** Looks up each name; all at once. */
export async function checkNames(
  servers: readonly { readonly name: string; readonly place: string; readonly service: boolean }[],
  names: Pick<NameCache, "lookUp" | "lookUpService">,
): Promise<NameFault[]> {
  const faults = await Promise.all(
    servers.map(async ({ name, place, service }): Promise<NameFault[]> => {
      try {
        await (service ? names.lookUpService(name) : names.lookUp(name));
        return [];
      } catch (error) {
        const { code } = error as IoError;
        if (code === "ECANCELLED") return [];
        const message = `Cannot resolve ${name} (${place}): ${resolveFailure(code, service)}`;
        return [{ message, final: code === "ENOTFOUND" }];
      }
    }),
  );
  return faults.flat();
}

function resolveFailure(code: string, service: boolean): string {
  if (code === "ENOTFOUND") return `there is no such name, or it has no ${service ? "SRV record" : "address"}`;
  return code === "ETIMEOUT" ? "the resolver did not answer" : `the resolver could not say (${code})`;
}
