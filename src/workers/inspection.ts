/**
 * Looks at the connections of one thread for whoever operates the proxy.
 *
 * Owns: filters, pages, and how an open connection is told. It is asked between other work, so that an answer costs one
 * pass over the open connections and the making of one page; it must keep nothing of them.
 */

import { formatEndpoint } from "../address.ts";
import type { ConnectionAnswer } from "../admin/api.ts";
import type { Connection } from "../proxy/connection.ts";
import type { Reason } from "../reason.ts";
import type { EndedConnections } from "./ended_connections.ts";
import type { ConnectionFilter, WorkerAnswers, WorkerQuestion } from "./worker_question.ts";

/** What is looked at. */
export interface Inspected {
  /** The oldest first. */
  readonly connections: Iterable<Looked>;
}

type Looked = Pick<Connection, "session" | "bytesReceived" | "bytesSent" | "phase"> & { abort(reason: Reason): void };

/** Answers a question about one thread's connections. */
export function inspect(
  { connections }: Inspected,
  ended: EndedConnections,
  question: WorkerQuestion,
): WorkerAnswers[WorkerQuestion["kind"]] {
  switch (question.kind) {
    case "connections": {
      const found = matching(connections, question.filter);
      const end = Math.max(0, found.length - question.offset);
      const page = found.slice(Math.max(0, end - question.limit), end).reverse();
      return { total: found.length, connections: page.map(answerOf) };
    }
    case "accept_times": {
      const found = matching(connections, question.filter);
      const newest = found.slice(Math.max(0, found.length - question.limit)).reverse();
      return { total: found.length, times: Float64Array.from(newest, ({ session }) => session.record.acceptedAt) };
    }
    case "log":
      return ended.lines(question.filter, question.limit);
    case "close":
      return close(connections, question.id);
  }
}

function close(connections: Iterable<Looked>, id: number): boolean {
  for (const connection of connections) {
    if (connection.session.record.id !== id) continue;
    connection.abort("operator_closed");
    return true;
  }
  return false;
}

function matching(connections: Iterable<Looked>, filter: ConnectionFilter): readonly Looked[] {
  const tests = testsOf(filter);
  if (tests.length === 0) return [...connections];
  const found: Looked[] = [];
  for (const connection of connections) if (tests.every((test) => test(connection))) found.push(connection);
  return found;
}

function testsOf(filter: ConnectionFilter): ((connection: Looked) => boolean)[] {
  return Object.entries(FIELDS).flatMap(([name, fieldOf]) => {
    const part = filter[name as keyof ConnectionFilter];
    return part === undefined ? [] : (looked: Looked) => (fieldOf(looked) ?? "").includes(part);
  });
}

const FIELDS: Readonly<Record<keyof ConnectionFilter, (connection: Looked) => string | undefined>> = {
  name: ({ session }) => session.record.serverName,
  route: ({ session }) => session.record.route,
  upstream: ({ session }) => session.member?.upstream,
  server: ({ session }) => session.record.attempts.at(-1)?.address,
  client: ({ session }) => formatEndpoint(session.record.client),
  listener: ({ session }) => session.record.listener,
};

function answerOf({ session: { record, member }, bytesReceived, bytesSent, phase }: Looked): ConnectionAnswer {
  return {
    id: record.id,
    state: phase,
    acceptedAt: record.acceptedAt,
    client: formatEndpoint(record.client),
    listener: record.listener,
    protocol: record.protocol,
    serverName: record.serverName,
    route: record.route,
    upstream: member?.upstream,
    server: record.attempts.at(-1)?.address,
    received: bytesReceived,
    sent: bytesSent,
  };
}
