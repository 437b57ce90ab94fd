/**
 * What an operator may do: reload, drain, take a server out or in, end a connection.
 *
 * Owns: the answers in words. The proxy does it.
 */

import type { ActionAnswer, CloseAction, ServerAction } from "./api.ts";
import type { OperatedProxy } from "./operated_proxy.ts";
import { json, type Question, type Reply } from "./operation.ts";
import { notHere, Refused, shown } from "./refusal.ts";

export async function reload(proxy: OperatedProxy): Promise<Reply> {
  if (proxy.reload === undefined) throw notHere("reload");
  const outcome = await proxy.reload();
  return json(outcome, outcome.ok ? 200 : 422);
}

export function drain(proxy: OperatedProxy): Reply {
  if (proxy.drain === undefined) throw notHere("drain");
  const { openConnections, config } = proxy;
  if (proxy.state === "draining") return done(`it drains already; ${openConnections} connections are left`);
  proxy.drain();
  return done(`it accepts no more; ${openConnections} connections have ${config.timeouts.drain / 1000} s to finish`);
}

export function switchServer(proxy: OperatedProxy, { body }: Question): Reply {
  const { upstream, address, state } = body as ServerAction;
  const isIn = state === "up";
  if (!proxy.switchServer(upstream, address, isIn)) {
    const names = proxy.upstreams.find(({ name }) => name === upstream);
    const known = (names?.servers ?? []).slice(0, 5).map((server) => server.address);
    const hint = names === undefined ? "there is no such upstream" : `its servers are ${known.join(", ")}`;
    throw new Refused(404, "no_such_server", `Cannot find ${shown(address)} in upstream ${shown(upstream)}: ${hint}`);
  }
  const balancers = proxy.threads.length === 1 ? "" : `, for all ${proxy.threads.length} workers at once`;
  if (isIn) return done(`${address} of upstream ${upstream} is in service again${balancers}`);
  const found = proxy.upstreams.find(({ name }) => name === upstream)?.servers.find((one) => one.address === address);
  const left = found?.connections ?? 0;
  return done(
    `${address} of upstream ${upstream} is out of service${balancers}; its ${left} connections go on. It stays out until it is taken in again, or certless is started anew`,
  );
}

export async function closeConnection({ ask }: OperatedProxy, { body }: Question): Promise<Reply> {
  const { id } = body as CloseAction;
  const answers = await ask({ kind: "close", id });
  if (answers.some(({ answer }) => answer)) return done(`connection ${id} is closed`);
  throw new Refused(404, "no_such_connection", `Cannot close connection ${id}: it is not open`);
}

function done(what: string): Reply {
  const answer: ActionAnswer = { done: what };
  return json(answer);
}
