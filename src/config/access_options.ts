/**
 * Who may connect: `allow`, `deny`, `access` and `dryRun` of a listener or a route.
 *
 * Owns: their grammar, and the rules that are made of them. Whoever asks the rules is `limits/access.ts`.
 */

import { type Cidr, cidrNetwork, parseCidr } from "../address.ts";
import { createCidrSet } from "../cidr_set.ts";
import type { AccessConfig, AccessRule } from "./config.ts";
import type { Refusal } from "./destination.ts";
import type { Fault, Path } from "./fault.ts";
import { bool, list, text } from "./option_kinds.ts";

/** What a rule names: a network, clients of a `unix:` socket, or everybody. */
export type Who = Cidr | "unix:" | "all";

export interface WrittenRule {
  readonly allow: boolean;
  readonly who: Who;
}

export interface ParsedAccess {
  readonly allow?: readonly Who[] | undefined;
  readonly deny?: readonly Who[] | undefined;
  readonly access?: readonly WrittenRule[] | undefined;
  readonly dryRun: boolean;
}

export function readCidr(value: string): Cidr | Refusal {
  const cidr = parseCidr(value);
  if (cidr !== undefined) return cidr;
  const network = cidrNetwork(value);
  if (network === undefined) return { error: "it must be an IP address or a network such as 10.0.0.0/8" };
  return { error: `it has bits set behind the prefix; the network is ${network}` };
}

const WHO = "an IP address, a network such as 10.0.0.0/8, unix: or all";

function readWho(value: string): Who | Refusal {
  if (value === "unix:" || value === "all") return value;
  const cidr = readCidr(value);
  return "error" in cidr && !value.includes("/") ? { error: `it must be ${WHO}` } : cidr;
}

function readRule(value: string): WrittenRule | Refusal {
  const [, word, whom] = /^(allow|deny) +(\S+)$/.exec(value) ?? [];
  if (whom === undefined) return { error: "it must be allow or deny and a network, such as 'deny 10.0.0.5'" };
  const who = readWho(whom);
  return typeof who === "object" && "error" in who ? who : { allow: word === "allow", who };
}

const networks = () =>
  list(text(WHO, readWho, { title: "network" }), "networks")
    .min(1, { error: "it must name at least one network" })
    .optional();

/** The options, to stand among those of a listener or a route. */
export function accessOptions() {
  return {
    allow: networks().meta({
      description:
        "Only clients of these networks (`unix:` for clients without an address); with `deny`, those that it leaves.",
    }),
    deny: networks().meta({ description: "No clients of these networks." }),
    access: list(text("a rule such as 'deny 10.0.0.5'", readRule, { title: "rule" }), "rules")
      .min(1, { error: "it must have at least one rule" })
      .optional()
      .meta({
        description: "Instead of both, rules in nginx's way, the first match counts: `allow 10.0.0.0/8`, `deny all`.",
      }),
    dryRun: bool()
      .default(false)
      .meta({ description: "Its access lists refuse nobody: the log says whom they would." }),
  };
}

/** The rules of `parsed`, which stands at `at`; undefined where everybody may connect. */
export function toAccess(parsed: ParsedAccess, at: Path, faults: Fault[]): AccessConfig | undefined {
  const { allow, deny, access, dryRun } = parsed;
  if (access !== undefined && (allow ?? deny) !== undefined) {
    const other = allow === undefined ? "deny" : "allow";
    const message = `Cannot use access beside ${other}: write all of it as rules of access, in their order`;
    faults.push({ code: "conflict", at: [...at, "access"], on: "key", message });
  }
  if (access !== undefined) return { rules: toRules(access), otherwise: true, dryRun };
  if (allow === undefined && deny === undefined) {
    if (dryRun) {
      const message =
        "Cannot use dryRun: there is no allow, deny or access beside it (limits have a dryRun of their own)";
      faults.push({ code: "conflict", at: [...at, "dryRun"], on: "key", message });
    }
    return undefined;
  }
  const written = [
    ...(deny ?? []).map((who) => ({ allow: false, who })),
    ...(allow ?? []).map((who) => ({ allow: true, who })),
  ];
  return { rules: toRules(written), otherwise: allow === undefined, dryRun };
}

const EVERYBODY = ["0.0.0.0/0", "::/0"].map((text) => parseCidr(text) as Cidr);

/** Neighbours of one kind become one rule, so that a list is searched once, however long it is. */
function toRules(written: readonly WrittenRule[]): AccessRule[] {
  const rules: AccessRule[] = [];
  for (let begin = 0, end = 0; begin < written.length; begin = end) {
    const { allow } = written[begin] as WrittenRule;
    while (written[end]?.allow === allow) end++;
    const whom = written.slice(begin, end).map(({ who }) => who);
    const cidrs = whom.flatMap((who) => (who === "all" ? EVERYBODY : who === "unix:" ? [] : [who]));
    rules.push({ allow, networks: createCidrSet(cidrs), unix: whom.includes("unix:") || whom.includes("all") });
  }
  return rules;
}
