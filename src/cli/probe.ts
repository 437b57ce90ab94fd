/** `certless probe`: is every server of every upstream well? Asked now, once, from this machine. */

import type { Clock } from "../adapter.ts";
import type { Config, UpstreamConfig } from "../config/config.ts";
import type { HealthCheckConfig } from "../config/health_config.ts";
import { defaultHealthCheck } from "../config/health_options.ts";
import { viaText } from "../config/via_options.ts";
import { day, daysLeft } from "../health/certificate_watch.ts";
import type { CheckParts, CheckResult, NameResult } from "../health/check.ts";
import { checkAll } from "../health/check_all.ts";
import { type CheckPlan, planChecks } from "../health/check_plan.ts";
import { escapeText } from "../log/escape.ts";
import type { NameCache } from "../names/name_cache.ts";
import { ownBoard } from "../upstream/allotments.ts";
import type { MemberPlace } from "../upstream/upstream.ts";
import { Discovery } from "../workers/discovery.ts";
import { placesAtWork } from "../workers/upstream_watch.ts";
import { type CliContext, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";
import { openNames } from "./names.ts";
import { type Style, styleFor } from "./style.ts";
import { plural, routeTables } from "./summary.ts";

export const probe: Command = {
  summary: "ask every server of every upstream whether it is well",
  usage: "[FILE]",
  help: `Checks each server of each upstream of FILE (certless.yaml if none is named) once, from this
machine, as the upstream's healthCheck says; where there is none, by a TLS handshake if a TLS
listener's routes lead there, else by a connect. Shows the time it took, and of each certificate how
long it is valid and what is wrong with it. Servers behind an upstream's via are not asked.

Exit code 0: all are up. 1: one is down, or not to be found. 2: the configuration is faulty.`,
  options: {},
  maxPositionals: 1,
  async run(context: CliContext, { positionals }: CommandArgs): Promise<number> {
    const { host } = context;
    const { config } = await load(context, positionals[0]);
    const { adapter } = await context.selectAdapter("auto");
    const { resolver, names } = openNames(host, config);
    try {
      const { plans, faults } = await planServers(config, names, adapter.clock);
      const results = await checkAll(plans, checkParts(context, names, adapter.clock));
      const now = adapter.clock.wallTime();
      const rows = plans.flatMap((plan, index) => rowsOf(plan, results[index]!, now));
      if (rows.length > 0) host.stdout.write(table(rows, styleFor(host, host.stdout)));
      for (const note of [...faults, ...behindProxies(config)]) host.stdout.write(`${note}\n`);
      const down = results.filter(({ error }) => error !== undefined).length;
      host.stdout.write(`${plural(plans.length, "server")}, ${down === 0 ? "none" : down} down\n`);
      return down + faults.length === 0 ? EXIT.ok : EXIT.no;
    } finally {
      resolver.close();
    }
  },
};

type Places = ReadonlyMap<string, readonly MemberPlace[]>;

/** A check of each server at work now, and what DNS could not name. */
export async function planServers(
  config: Config,
  names: NameCache,
  clock: Clock,
): Promise<{ readonly plans: readonly CheckPlan[]; readonly faults: readonly string[] }> {
  const board = ownBoard(config.upstreams, clock);
  const places = new Map<string, readonly MemberPlace[]>();
  const faults: string[] = [];
  const discovery = new Discovery({
    config,
    names,
    clock,
    board,
    changed: (upstream, found) => places.set(upstream, found),
    warn: (message) => faults.push(message),
  });
  await discovery.start();
  discovery.stop();
  return { plans: plansOf(config, placesAtWork(config, board.allotments, places)), faults };
}

function plansOf(config: Config, places: Places): CheckPlan[] {
  const reached = [...config.upstreams.values()].filter(({ via }) => via === undefined);
  return reached.flatMap((upstream) => {
    const atWork = places.get(upstream.name)!;
    return planChecks(config, [], upstream, atWork, upstream.healthCheck ?? implied(config, upstream));
  });
}

function behindProxies(config: Config): string[] {
  return [...config.upstreams.values()].flatMap(({ name, via }) =>
    via === undefined ? [] : [`upstream ${name}: not asked, since its servers are behind ${viaText(via)}`],
  );
}

/** What is passed through from TLS clients must be TLS servers. */
function implied(config: Config, { name }: UpstreamConfig): HealthCheckConfig {
  const tls = { ...config, listeners: config.listeners.filter(({ protocol }) => protocol === "tls") };
  const leadsHere = routeTables(tls).some(
    ({ upstreams, default: to }) => upstreams.has(name) || (to.kind === "upstream" && to.name === name),
  );
  return defaultHealthCheck(leadsHere ? "tls" : "tcp");
}

function checkParts({ host }: CliContext, names: NameCache, clock: Clock): CheckParts {
  return {
    clock,
    probe: host.probe,
    resolve: (name, answer) => void names.resolve(name).then(answer, answer),
  };
}

interface Row {
  readonly cells: readonly string[];
  readonly isBad: boolean;
}

/** One row for the server and its first certificate, and one for each other. */
function rowsOf({ upstream, address }: CheckPlan, { error, duration, names }: CheckResult, now: number): Row[] {
  const state = error === undefined ? "up" : "down";
  const time = `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`;
  const notes = error === undefined ? names.map((name) => certificateNote(name, now)) : [error];
  const [first = "", ...others] = notes;
  return [
    { cells: [upstream, address, state, time, first], isBad: error !== undefined },
    ...others.map((note) => ({ cells: ["", "", "", "", note], isBad: false })),
  ];
}

function certificateNote({ serverName, certificate, error }: NameResult, now: number): string {
  const name = serverName === undefined ? "" : `${serverName}: `;
  if (certificate === undefined) return `${name}${error ?? "no certificate"}`;
  const left = daysLeft(certificate, now);
  const end = day(certificate.notAfter);
  const notes = [
    !(left >= 0) ? `expired on ${end}` : `${plural(left, "day")} left (${end})`,
    `by ${escapeText(certificate.issuer)}`,
  ];
  if (certificate.mismatch !== undefined) notes.push(`does not fit: ${escapeText(certificate.mismatch)}`);
  if (certificate.untrusted !== undefined) notes.push(`not trusted: ${escapeText(certificate.untrusted)}`);
  return `${name}${notes.join(", ")}`;
}

const HEAD: Row = { cells: ["upstream", "server", "state", "time", "certificate, or what is wrong"], isBad: false };

function table(rows: readonly Row[], style: Style): string {
  const all = [HEAD, ...rows];
  const widths = HEAD.cells.map((_, column) => Math.max(...all.map(({ cells }) => cells[column]!.length)));
  return all
    .map((row) => {
      const line = row.cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ");
      return `${row === HEAD ? style.bold(line.trimEnd()) : row.isBad ? style.red(line.trimEnd()) : line.trimEnd()}\n`;
    })
    .join("");
}
