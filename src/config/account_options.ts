/**
 * The options `user` and `group`: who the process becomes once it listens.
 */

import type { Refusal } from "./destination.ts";
import type { Fault } from "./fault.ts";
import { text } from "./option_kinds.ts";

/** Names as Debian's adduser and useradd(8) allow them, or numbers. */
const NAME = /^[a-z_][a-z0-9_.-]{0,31}\$?$/i;
const NUMBER = /^[0-9]{1,9}$/;

export function readAccountName(value: string): string | Refusal {
  return NAME.test(value) || NUMBER.test(value) ? value : { error: "it must be a name, or a number in quotes" };
}

export function buildAccount() {
  return {
    user: text("the name of a user", readAccountName, { title: "user" }).optional().meta({
      description:
        "Become this user once the listeners and logs are open: name or number. Needs root at the start; `group` is the user's own if absent.",
    }),
    group: text("the name of a group", readAccountName, { title: "group" }).optional().meta({
      description: "The group that goes with `user`; supplementary groups are dropped.",
    }),
  };
}

/** A group alone would leave the user as it is, which nobody means. */
export function checkAccount(value: Readonly<Record<string, unknown>>, faults: Fault[]): void {
  if (value.group === undefined || value.user !== undefined) return;
  const message = "Cannot use group: without user nothing is given up; name the user, or remove group";
  faults.push({ code: "conflict", at: ["group"], on: "value", message });
}
