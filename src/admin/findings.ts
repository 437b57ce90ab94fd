/**
 * What an operator should look at: in words, the worst first, each with what to do about it.
 *
 * Owns: the thresholds and the words. Nothing here is asked or measured: it is a function of what is known.
 */

import type { ServerStatus, UpstreamStatus } from "../health/status.ts";
import type { ThreadState } from "../workers/control_worker.ts";
import type { EndingAnswer, FindingAnswer, StatusAnswer } from "./api.ts";

export interface Known extends Omit<StatusAnswer, "findings"> {
  readonly upstreams: readonly UpstreamStatus[];
  readonly threads: readonly ThreadState[];
  /** Lines of the access log that were lost. */
  readonly droppedLines: number;
}

/** Days that a certificate has left, when it is told. */
const FEW_DAYS = 14;
/** Rejections of one kind in the last hour that are many, and their part of all that ended. */
const MANY = 20;
const MANY_PART = 0.1;
/** The part of a limit from which it is near. */
const NEAR = 0.9;
/** Milliseconds for which a lost worker is news. */
const LATELY = 3_600_000;
/** Milliseconds that a worker's event loop may be late. */
const LATE = 1_000;

/** Empty: all is well. */
export function findings(known: Known): FindingAnswer[] {
  const found = [
    ...upstreamFindings(known),
    ...certificateFindings(known),
    ...limitFindings(known),
    ...configurationFindings(known),
    ...workerFindings(known),
    ...rejectionFindings(known),
    ...logFindings(known),
    ...drainFindings(known),
  ];
  return [...found.filter(({ level }) => level === "trouble"), ...found.filter(({ level }) => level === "attention")];
}

function trouble(what: string, remedy: string): FindingAnswer {
  return { level: "trouble", what, remedy };
}

function attention(what: string, remedy: string): FindingAnswer {
  return { level: "attention", what, remedy };
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function upstreamFindings({ upstreams }: Known): FindingAnswer[] {
  return upstreams.flatMap(({ name, servers }) => {
    const asked = servers.filter(({ service }) => service !== "off");
    const out = asked.filter(({ service }) => service !== "in");
    if (out.length === 0) return [];
    const which = `${out.slice(0, 3).map(serverText).join(", ")}${out.length > 3 ? ", …" : ""}`;
    if (out.length < asked.length) {
      const what = `upstream ${name}: ${out.length} of ${many(asked.length, "server")} out of service: ${which}`;
      return [attention(what, remedyFor(out))];
    }
    const what = `upstream ${name}: no server is in service: ${which}`;
    return [trouble(what, remedyFor(out))];
  });
}

const SERVICE_WORDS: Readonly<Record<ServerStatus["service"], string>> = {
  in: "in service",
  failing: "fails clients",
  down: "is down",
  disabled: "was taken out by an operator",
  off: "is off by the configuration",
};

function serverText({ address, service, error }: ServerStatus): string {
  return `${address} ${SERVICE_WORDS[service]}${service === "down" && error !== undefined ? ` (${error})` : ""}`;
}

function remedyFor(servers: readonly ServerStatus[]): string {
  if (servers.every(({ service }) => service === "disabled")) return "take it in again when its work is done (servers)";
  return "look at the servers themselves and the way to them; certless probe asks each of them from here";
}

function certificateFindings({ upstreams }: Known): FindingAnswer[] {
  return upstreams.flatMap(({ name, servers }) =>
    servers.flatMap(({ address, certificates }) =>
      certificates
        .filter(({ daysLeft }) => !(daysLeft > FEW_DAYS))
        .map(({ serverName, daysLeft }) => {
          const whose = `upstream ${name}: ${address}: the certificate${serverName === undefined ? "" : ` for ${serverName}`}`;
          const remedy = "renew it on the server: clients see it, and will refuse it";
          return daysLeft >= 0
            ? attention(`${whose} expires in ${many(daysLeft, "day")}`, remedy)
            : trouble(`${whose} has expired`, remedy);
        }),
    ),
  );
}

function limitFindings({ connections, descriptors }: Known): FindingAnswer[] {
  const found: FindingAnswer[] = [];
  if (connections.open >= NEAR * connections.limit) {
    const what = `${connections.open} of ${connections.limit} connections are open`;
    const remedy = "raise limits.connections and the limit of descriptors, or share the load";
    found.push(connections.open >= connections.limit ? trouble(what, remedy) : attention(what, remedy));
  }
  const { open, limit } = descriptors;
  if (open !== undefined && limit !== undefined && open >= NEAR * limit) {
    found.push(attention(`${open} of ${limit} descriptors are open`, "raise ulimit -n, or LimitNOFILE= of the unit"));
  }
  return found;
}

function configurationFindings({ configuration: { lastReload } }: Known): FindingAnswer[] {
  if (lastReload === undefined || lastReload.ok) return [];
  const [first] = lastReload.errors;
  const why = lastReload.reason !== "" ? lastReload.reason : (first?.message ?? "");
  const more = lastReload.errors.length > 1 ? ` (and ${many(lastReload.errors.length - 1, "fault")} more)` : "";
  const what = `the last reload was refused, and the former configuration stays: ${why}${more}`;
  return [attention(what, "mend the file (certless check tells every fault with its place) and reload")];
}

function workerFindings({ threads, workers, now }: Known): FindingAnswer[] {
  const lost = threads.filter(({ lostAt }) => lostAt !== undefined && now - lostAt < LATELY);
  const late = workers.filter(({ lag }) => lag >= LATE);
  return [
    ...lost.map(({ worker, lostAt }) =>
      trouble(
        `worker ${worker} ended ${many(Math.round((now - (lostAt as number)) / 60_000), "minute")} ago and was replaced`,
        "its connections were lost; standard error says why: please report it",
      ),
    ),
    ...late.map(({ worker, lag }) =>
      attention(`worker ${worker} was ${Math.round(lag)} ms late`, "more workers, or a less busy machine, would help"),
    ),
  ];
}

function rejectionFindings({ endings }: Known): FindingAnswer[] {
  const ended = endings.reduce((sum, { lastHour }) => sum + lastHour, 0);
  const isMany = ({ isRejection, lastHour }: EndingAnswer): boolean =>
    isRejection && lastHour >= MANY && lastHour >= MANY_PART * ended;
  return endings.filter(isMany).map(({ reason, lastHour, meaning, remedy }) => {
    const what = `${lastHour} connections ended with ${reason} in the last hour: ${meaning}`;
    return attention(what, remedy ?? "the log says who they were");
  });
}

function logFindings({ droppedLines }: Known): FindingAnswer[] {
  if (droppedLines === 0) return [];
  const what = `${many(droppedLines, "line")} of the access log ${droppedLines === 1 ? "was" : "were"} lost`;
  return [attention(what, "whatever reads the log, or its disk, is too slow")];
}

function drainFindings({ state, connections }: Known): FindingAnswer[] {
  if (state === "running") return [];
  const what = `it accepts no more, and waits for ${many(connections.open, "connection")}`;
  return [attention(what, "it ends by itself; start another one where clients still come")];
}
