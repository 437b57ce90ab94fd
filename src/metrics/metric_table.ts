/**
 * Every metric: its name, type, unit, labels, and what it says. Rendering takes them from here, and so do the docs.
 *
 * Owns: the names. They are never renamed; base units (seconds, bytes), and `_total` for what only grows.
 */

export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly unit: "" | "seconds" | "bytes";
  readonly labels: readonly string[];
  readonly help: string;
}

const gauge = "gauge";
const counter = "counter";
const histogram = "histogram";
const summary = "summary";
const SERVER = ["upstream", "server"] as const;
const ROUTE = ["listener", "route"] as const;

export const METRICS = {
  certless_build_info: {
    type: gauge,
    unit: "",
    labels: ["version", "runtime", "adapter"],
    help: "Always 1; the labels say what runs.",
  },
  certless_start_time_seconds: { type: gauge, unit: "seconds", labels: [], help: "When it started, since the epoch." },
  certless_open_connections: { type: gauge, unit: "", labels: ["listener"], help: "Connections that are open." },
  certless_connections_limit: { type: gauge, unit: "", labels: [], help: "Connections that may be open at once." },
  certless_accepted_connections_total: {
    type: counter,
    unit: "",
    labels: ["listener"],
    help: "Connections that were accepted.",
  },
  certless_ended_connections_total: {
    type: counter,
    unit: "",
    labels: ["listener", "reason"],
    help: "Connections that have ended, by reason code.",
  },
  certless_dry_run_rejections_total: {
    type: counter,
    unit: "",
    labels: ["reason"],
    help: "Connections that a limit or an access list would have refused, had it not been a dry run.",
  },
  certless_received_bytes_total: {
    type: counter,
    unit: "bytes",
    labels: ["listener"],
    help: "Bytes from clients, open connections included.",
  },
  certless_sent_bytes_total: {
    type: counter,
    unit: "bytes",
    labels: ["listener"],
    help: "Bytes to clients, open connections included.",
  },
  certless_preread_seconds: {
    type: histogram,
    unit: "seconds",
    labels: [],
    help: "From accept to the route, counted when the connection ends.",
  },
  certless_connect_seconds: {
    type: histogram,
    unit: "seconds",
    labels: [],
    help: "From the route to the server's answer, counted when the connection ends.",
  },
  certless_session_seconds: { type: histogram, unit: "seconds", labels: [], help: "From accept to the end." },
  certless_route_connections_total: { type: counter, unit: "", labels: ROUTE, help: "Connections that have ended." },
  certless_route_rejections_total: {
    type: counter,
    unit: "",
    labels: ROUTE,
    help: "Those of them that the proxy turned away.",
  },
  certless_route_received_bytes_total: { type: counter, unit: "bytes", labels: ROUTE, help: "Bytes from clients." },
  certless_route_sent_bytes_total: { type: counter, unit: "bytes", labels: ROUTE, help: "Bytes to clients." },
  certless_upstream_open_connections: {
    type: gauge,
    unit: "",
    labels: SERVER,
    help: "Connections that the server has, those that are being dialled included.",
  },
  certless_upstream_connections_total: { type: counter, unit: "", labels: SERVER, help: "Connections that it took." },
  certless_upstream_failures_total: {
    type: counter,
    unit: "",
    labels: [...SERVER, "outcome"],
    help: "Tries that came to nothing, by error code.",
  },
  certless_upstream_connect_seconds: {
    type: summary,
    unit: "seconds",
    labels: SERVER,
    help: "From the choice of the server to its answer.",
  },
  certless_upstream_up: {
    type: gauge,
    unit: "",
    labels: SERVER,
    help: "1: its checks find it well; 0: they find it down. Absent where it is not checked.",
  },
  certless_upstream_checks_total: {
    type: counter,
    unit: "",
    labels: [...SERVER, "result"],
    help: "Active checks that ended, by result: ok or failed.",
  },
  certless_upstream_certificate_expiry_timestamp_seconds: {
    type: gauge,
    unit: "seconds",
    labels: SERVER,
    help: "When the first of its certificates expires, since the epoch.",
  },
  certless_workers: { type: gauge, unit: "", labels: [], help: "Threads that carry connections." },
  certless_worker_open_connections: { type: gauge, unit: "", labels: ["worker"], help: "Connections that it carries." },
  certless_worker_lag_seconds: {
    type: histogram,
    unit: "seconds",
    labels: ["worker"],
    help: "How late its event loop was, looked at ten times a second.",
  },
  certless_resolver_lookups_total: {
    type: counter,
    unit: "",
    labels: ["result"],
    help: "Lookups that the resolver has answered, by result: ok or failed.",
  },
  certless_resolver_lookup_seconds: { type: summary, unit: "seconds", labels: [], help: "How long they took." },
  certless_resolver_cache_answers_total: {
    type: counter,
    unit: "",
    labels: ["result"],
    help: "Names that were asked for: hit (known), stale (an old answer, for want of a new one) or miss (looked up).",
  },
  certless_config_loaded_timestamp_seconds: {
    type: gauge,
    unit: "seconds",
    labels: [],
    help: "When the configuration in force was read, since the epoch.",
  },
  certless_config_reloads_total: {
    type: counter,
    unit: "",
    labels: ["result"],
    help: "Reloads, by result: ok or failed.",
  },
  certless_log_dropped_lines_total: {
    type: counter,
    unit: "",
    labels: [],
    help: "Lines of the access log that its target could not take in time.",
  },
  certless_resident_memory_bytes: {
    type: gauge,
    unit: "bytes",
    labels: [],
    help: "Resident memory of the whole process.",
  },
  certless_open_descriptors: { type: gauge, unit: "", labels: [], help: "Open descriptors of the whole process." },
  certless_descriptors_limit: { type: gauge, unit: "", labels: [], help: "The soft limit of open descriptors." },
  certless_label_values: {
    type: gauge,
    unit: "",
    labels: ["of"],
    help: "Listeners, routes and servers that have series of their own; those beyond the limit are in `other`.",
  },
  certless_label_values_limit: { type: gauge, unit: "", labels: ["of"], help: "How many may have." },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;

/** As a table of Markdown. */
export function metricTable(): string {
  const rows = Object.entries(METRICS as Readonly<Record<string, MetricDefinition>>).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
  );
  return ["| metric | type | labels | what it says |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
