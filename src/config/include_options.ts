/** The option `include`, as a zod schema. */

import * as z from "zod";
import type { Refusal } from "./destination.ts";
import { list, text } from "./option_kinds.ts";

const INCLUDE = "the path of a file, whose last part may have * and ?";

function readInclude(value: string): string | Refusal {
  const directory = value.slice(0, value.lastIndexOf("/") + 1);
  if (value === directory || /\p{Cc}/u.test(value)) return { error: `it must be ${INCLUDE}` };
  return /[*?]/.test(directory) ? { error: "only the last part of the path may have * and ?" } : value;
}

export function buildInclude() {
  const path = () => text(INCLUDE, readInclude, { title: "path" });
  return z
    .union([path(), list(path(), "paths")], { error: `it must be ${INCLUDE}, or a list of such` })
    .optional()
    .meta({
      description:
        "Files with more `listeners`, `routes` and `upstreams`, such as `conf.d/*.yaml`; relative to this file.",
    });
}
