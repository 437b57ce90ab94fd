/**
 * Where a configuration says that its proxy's admin interface is, even where the rest of it has faults: whoever asks a
 * running proxy may be just about to learn of them.
 */

import type { ToAscii } from "../hostname.ts";
import { type AdminConfig, buildAdmin } from "./admin_options.ts";
import { readYaml } from "./yaml_source.ts";

/** Undefined: it says nothing that could be used. */
export function adminPlace(text: string, path: string, toAscii: ToAscii): AdminConfig | undefined {
  const { value } = readYaml(text, path);
  if (typeof value !== "object" || value === null || !("admin" in value)) return undefined;
  return buildAdmin(toAscii).safeParse(value.admin).data;
}
