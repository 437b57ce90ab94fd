/** A pattern as it is written in its shortest form. */

import type { RoutePattern } from "../hostname.ts";

export function patternText(pattern: RoutePattern): string {
  switch (pattern.kind) {
    case "exact":
      return pattern.name;
    case "suffix":
      return pattern.apex ? `.${pattern.name}` : `*.${pattern.name}`;
    case "prefix":
      return `${pattern.name}.*`;
    case "regex":
      return `~${pattern.source}`;
    case "default":
      return "default";
  }
}
