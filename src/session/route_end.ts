/**
 * Connections that end at their route: nobody is dialled for them.
 *
 * Owns: why that is. It must not close anything.
 */

import type { Route } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { type Refusal, refusedBy } from "../limits/admission.ts";
import type { Prelude } from "./preread.ts";
import { redirectReply, rejectReason } from "./rejection.ts";

export interface RouteEnd extends Refusal {
  /** Instead of what the reason has the client told. */
  readonly reply?: Uint8Array;
}

/**
 * Undefined: the route leads to a server.
 * @param redirectToHttps the port that `https` URLs get; absent where requests are not redirected.
 */
export function endAtRoute(
  route: Route,
  prelude: Prelude,
  record: ConnectionRecord,
  redirectToHttps: number | undefined,
): RouteEnd | undefined {
  const denied = route.access && refusedBy(route.access, record, `the route ${route.text}`);
  if (denied !== undefined) return denied;
  if (route.to.kind === "reject") return { reason: rejectReason(route, prelude, record.serverName), detail: "" };
  if (prelude.kind !== "http" || redirectToHttps === undefined) return undefined;
  const reply = redirectReply(prelude.head, redirectToHttps);
  if (reply === undefined) return { reason: "malformed_request", detail: "a redirect needs a Host" };
  return { reason: "redirected", detail: "", reply };
}
