/**
 * Everything that a proxy knows of itself, as Prometheus' text.
 *
 * Owns: which number goes under which name of the table. Labels hold what is configured (listeners, routes, servers) and
 * fixed words; what clients send never becomes one.
 */

import type { ServerStatus } from "../health/status.ts";
import type { Reason } from "../reason.ts";
import { OTHER } from "./capped_table.ts";
import { Exposition } from "./exposition.ts";
import { type MergedNumbers, openIn } from "./merged_numbers.ts";
import type { MetricsParts } from "./metrics_store.ts";
import { REASON_CODES } from "./tally.ts";

export interface Measured {
  readonly parts: MetricsParts;
  readonly numbers: MergedNumbers;
  readonly startedAt: number;
}

export function renderPrometheus({ parts, numbers, startedAt }: Measured): string {
  const out = new Exposition();
  addProcess(out, parts, startedAt);
  addConnections(out, parts, numbers);
  addRoutes(out, numbers);
  addUpstreams(out, parts, numbers);
  addWorkers(out, parts, numbers);
  addSurroundings(out, parts);
  for (const [kind, table] of [
    ["listener", numbers.listeners],
    ["route", numbers.routes],
    ["server", numbers.servers],
  ] as const) {
    out.add("certless_label_values", table.shown, kind);
    out.add("certless_label_values_limit", table.limit, kind);
  }
  return out.toString();
}

function addProcess(out: Exposition, parts: MetricsParts, startedAt: number): void {
  const { resident, descriptors, descriptorLimit } = parts.resources();
  out.add("certless_build_info", 1, parts.version, parts.runtime, parts.adapter);
  out.add("certless_start_time_seconds", startedAt / 1000);
  out.add("certless_resident_memory_bytes", resident);
  out.add("certless_open_descriptors", descriptors);
  out.add("certless_descriptors_limit", descriptorLimit);
}

function addConnections(out: Exposition, parts: MetricsParts, numbers: MergedNumbers): void {
  out.add("certless_connections_limit", parts.connectionLimit);
  // One that nobody has come to yet is there, too.
  for (const { address } of parts.listeners) numbers.listeners.at(address);
  const shown = new Set<string>();
  for (const { labels, value } of numbers.listeners.series()) {
    const [address] = labels;
    shown.add(address);
    if (address !== OTHER) out.add("certless_open_connections", numbers.openOf(address), address);
    out.add("certless_accepted_connections_total", value.accepted, address);
    out.add("certless_received_bytes_total", value.received, address);
    out.add("certless_sent_bytes_total", value.sent, address);
    for (const [reason, count] of value.ended.entries()) {
      if (count > 0) out.add("certless_ended_connections_total", count, address, REASON_CODES[reason]!);
    }
  }
  if (shown.has(OTHER)) out.add("certless_open_connections", openElsewhere(numbers, shown), OTHER);
  for (const [reason, count] of Object.entries(parts.counts.wouldReject) as [Reason, number][]) {
    out.add("certless_dry_run_rejections_total", count, reason);
  }
  out.histogram("certless_preread_seconds", numbers.preread);
  out.histogram("certless_connect_seconds", numbers.connect);
  out.histogram("certless_session_seconds", numbers.session);
}

function openElsewhere({ workers }: MergedNumbers, shown: ReadonlySet<string>): number {
  let sum = 0;
  for (const { open } of workers.values()) {
    for (const [address, count] of open) if (!shown.has(address)) sum += count;
  }
  return sum;
}

function addRoutes(out: Exposition, { routes }: MergedNumbers): void {
  for (const { labels, value } of routes.series()) {
    out.add("certless_route_connections_total", value.connections, ...labels);
    out.add("certless_route_rejections_total", value.rejected, ...labels);
    out.add("certless_route_received_bytes_total", value.received, ...labels);
    out.add("certless_route_sent_bytes_total", value.sent, ...labels);
  }
}

function addUpstreams(out: Exposition, { upstreams }: MetricsParts, numbers: MergedNumbers): void {
  // Several servers of an upstream may have one address, and one series.
  const states = new Map<string, { readonly upstream: string; readonly servers: ServerStatus[] }>();
  for (const { name, servers } of upstreams) {
    for (const server of servers) {
      numbers.servers.at(name, server.address);
      const key = `${name}\0${server.address}`;
      const known = states.get(key);
      if (known === undefined) states.set(key, { upstream: name, servers: [server] });
      else known.servers.push(server);
    }
  }
  for (const { labels, value } of numbers.servers.series()) {
    out.add("certless_upstream_connections_total", value.connections, ...labels);
    for (const [outcome, count] of value.failures) {
      out.add("certless_upstream_failures_total", count, ...labels, outcome);
    }
    out.summary("certless_upstream_connect_seconds", value.connectTime, value.connects, ...labels);
    if (value.checksOk + value.checksFailed > 0) {
      out.add("certless_upstream_checks_total", value.checksOk, ...labels, "ok");
      out.add("certless_upstream_checks_total", value.checksFailed, ...labels, "failed");
    }
    const servers = states.get(labels.join("\0"))?.servers;
    if (servers !== undefined) addState(out, servers, labels);
  }
}

function addState(out: Exposition, servers: readonly ServerStatus[], labels: readonly string[]): void {
  const open = servers.reduce((sum, { connections }) => sum + connections, 0);
  out.add("certless_upstream_open_connections", open, ...labels);
  const known = servers.filter(({ health }) => health !== "unknown");
  if (known.length > 0)
    out.add("certless_upstream_up", known.every(({ health }) => health === "up") ? 1 : 0, ...labels);
  const expiries = servers.flatMap(({ certificates }) => certificates.map(({ notAfter }) => notAfter));
  if (expiries.length === 0) return;
  out.add("certless_upstream_certificate_expiry_timestamp_seconds", Math.min(...expiries) / 1000, ...labels);
}

function addWorkers(out: Exposition, parts: MetricsParts, numbers: MergedNumbers): void {
  out.add("certless_workers", parts.workers);
  for (let index = 0; index < parts.workers; index++) {
    const { open, lag } = numbers.worker(index);
    const label = String(index + 1);
    out.add("certless_worker_open_connections", openIn(open), label);
    out.histogram("certless_worker_lag_seconds", lag, label);
  }
}

function addSurroundings(out: Exposition, parts: MetricsParts): void {
  const { hits, stale, misses, lookups, failures, time } = parts.resolver;
  out.add("certless_resolver_lookups_total", lookups - failures, "ok");
  out.add("certless_resolver_lookups_total", failures, "failed");
  out.summary("certless_resolver_lookup_seconds", time, lookups);
  out.add("certless_resolver_cache_answers_total", hits, "hit");
  out.add("certless_resolver_cache_answers_total", stale, "stale");
  out.add("certless_resolver_cache_answers_total", misses, "miss");
  out.add("certless_config_loaded_timestamp_seconds", parts.configuration.loadedAt / 1000);
  out.add("certless_config_reloads_total", parts.configuration.reloads, "ok");
  out.add("certless_config_reloads_total", parts.failedReloads, "failed");
  out.add("certless_log_dropped_lines_total", parts.droppedLines);
}
