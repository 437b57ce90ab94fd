/**
 * What a listener for `any` protocol does with clients that name no server: SSH, other first bytes, silence.
 *
 * Owns: the options and their destinations.
 */

import * as z from "zod";
import type { Destination, KindsConfig, ListenerProtocol } from "./config.ts";
import { parseDestination } from "./destination.ts";
import type { Path } from "./fault.ts";
import { duration } from "./option_kinds.ts";
import { quote } from "./quote.ts";
import type { RouteContext } from "./routes.ts";

const destination = (description: string) =>
  z
    .string({ error: "it must be a destination: an upstream, host:port, IP:port, unix:/path or reject" })
    .optional()
    .meta({ title: "destination", description });

export function buildKinds() {
  return {
    ssh: destination("Only with `any`: where SSH clients go; `reject` if absent."),
    other: destination("Only with `any`: where clients go that speak none of these; `reject` if absent."),
    silent: destination("Only with `any`: where clients go that wait for the server to speak first."),
    silentAfter: duration(100).optional().meta({
      description: "How long a client that says nothing is waited for before it goes to `silent`; `1s` if absent.",
    }),
  };
}

const DEFAULT_SILENT_AFTER = 1_000;
const REJECT: Destination = { kind: "reject" };
const KINDS = ["ssh", "other", "silent"] as const;

interface ParsedKinds {
  readonly protocol: ListenerProtocol;
  readonly ssh?: string | undefined;
  readonly other?: string | undefined;
  readonly silent?: string | undefined;
  readonly silentAfter?: number | undefined;
}

/** @param at the listener. */
export function readKinds(parsed: ParsedKinds, at: Path, context: RouteContext): KindsConfig | undefined {
  const { protocol, silentAfter } = parsed;
  if (protocol !== "any") {
    for (const option of [...KINDS, "silentAfter"] as const) {
      if (parsed[option] !== undefined)
        fault(context, [...at, option], option, "only a listener whose protocol is any has it");
    }
    return undefined;
  }
  if (silentAfter !== undefined && parsed.silent === undefined) {
    fault(context, [...at, "silentAfter"], "silentAfter", "without 'silent' there is nowhere to go");
  }
  const [ssh, other, silent] = KINDS.map((kind) => readKind(parsed[kind], [...at, kind], context));
  return { ssh: ssh ?? REJECT, other: other ?? REJECT, silent, silentAfter: silentAfter ?? DEFAULT_SILENT_AFTER };
}

const REFUSALS: Readonly<Record<string, string>> = {
  direct: "such a client names no server; write the server's address",
  port: "the port is missing, as in 10.0.0.7:22",
};

function readKind(text: string | undefined, at: Path, context: RouteContext): Destination | undefined {
  if (text === undefined) return undefined;
  const to = parseDestination(text, context.upstreams, context.toAscii);
  const reason = "error" in to ? to.error : REFUSALS[to.kind === "ip" && to.port === undefined ? "port" : to.kind];
  if (!("error" in to) && reason === undefined) return to;
  const message = `Cannot send clients to ${quote(text)}: ${reason}`;
  context.faults.push({ code: "bad_destination", at, on: "value", message });
  return undefined;
}

function fault(context: RouteContext, at: Path, option: string, reason: string): void {
  context.faults.push({ code: "conflict", at, on: "key", message: `Cannot use ${option}: ${reason}` });
}
