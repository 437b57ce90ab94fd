/**
 * `GET connections` and `GET log`: pages over the connections of all workers.
 *
 * Owns: the order among workers. Each is asked for what is shown, not for all that it has.
 */

import { REASONS } from "../reason.ts";
import type { ConnectionFilter, LogFilter } from "../workers/worker_question.ts";
import type { ConnectionsAnswer, LogAnswer, LogLine } from "./api.ts";
import type { OperatedProxy } from "./operated_proxy.ts";
import type { Parameters } from "./parameters.ts";
import { badRequest, shown } from "./refusal.ts";

export async function connectionsAnswer(proxy: OperatedProxy, parameters: Parameters): Promise<ConnectionsAnswer> {
  const filter: ConnectionFilter = {
    name: parameters.text("name"),
    route: parameters.text("route"),
    upstream: parameters.text("upstream"),
    server: parameters.text("server"),
    client: parameters.text("client"),
    listener: parameters.text("listener"),
  };
  const page = { offset: parameters.number("offset"), limit: parameters.number("limit") };
  if (proxy.threads.length > 1 && page.offset > 0) return laterPage(proxy, filter, page);
  const answers = await proxy.ask({ kind: "connections", filter, ...page });
  return {
    total: answers.reduce((sum, { answer }) => sum + answer.total, 0),
    connections: newestFirst(answers.flatMap(({ answer }) => answer.connections)).slice(0, page.limit),
  };
}

interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** First when they were accepted, which is little to send; then, of each worker, those that are on the page. */
async function laterPage({ ask }: OperatedProxy, filter: ConnectionFilter, page: Page): Promise<ConnectionsAnswer> {
  const end = page.offset + page.limit;
  const times = await ask({ kind: "accept_times", filter, limit: end });
  const total = times.reduce((sum, { answer }) => sum + answer.total, 0);
  const all = times.flatMap(({ worker, answer }) => Array.from(answer.times, (at) => ({ worker, at })));
  all.sort((a, b) => b.at - a.at);
  const parts = new Map<number, { offset: number; limit: number }>();
  for (const [index, { worker }] of all.slice(0, end).entries()) {
    const part = parts.get(worker) ?? { offset: 0, limit: 0 };
    if (index < page.offset) part.offset++;
    else part.limit++;
    parts.set(worker, part);
  }
  const shownOnes = [...parts].filter(([, { limit }]) => limit > 0);
  const answers = await Promise.all(
    shownOnes.map(([worker, part]) => ask({ kind: "connections", filter, ...part }, worker)),
  );
  return { total, connections: newestFirst(answers.flat().flatMap(({ answer }) => answer.connections)) };
}

function newestFirst<Item extends { readonly acceptedAt: number; readonly id: number }>(items: Item[]): Item[] {
  return items.sort((a, b) => b.acceptedAt - a.acceptedAt || b.id - a.id);
}

export async function logAnswer({ ask }: OperatedProxy, parameters: Parameters): Promise<LogAnswer> {
  const limit = parameters.number("limit");
  const reason = parameters.text("reason");
  if (reason !== undefined && !Object.hasOwn(REASONS, reason)) {
    throw badRequest("the parameter reason", `${shown(reason)} is no reason code`);
  }
  const filter: LogFilter = { reason, name: parameters.text("name") };
  const answers = await ask({ kind: "log", filter, limit });
  const endedAt = ({ acceptedAt, duration }: LogLine): number => acceptedAt + duration;
  const lines = answers.flatMap(({ answer }) => answer);
  return { lines: lines.sort((a, b) => endedAt(b) - endedAt(a)).slice(0, limit) };
}
