/**
 * What nginx calls an option, for who writes it out of habit.
 *
 * Owns: the table from nginx's directives and parameters to the options here. The words are nginx's where there is one
 * (camelCase), so that most are near enough to be found by their spelling; this has them all.
 */

const NAMES: Readonly<Record<string, string>> = {
  access_log: "log.access",
  fail_timeout: "failTimeout",
  hash: "balance: hash KEY",
  least_conn: "balance: least_conn",
  limit_conn: "limits.perClient",
  listen: "address",
  map: "routes",
  max_conns: "maxConnections",
  max_fails: "maxFails",
  preread_buffer_size: "limits.prereadBytes",
  preread_timeout: "timeouts.preread",
  proxy_bind: "bind",
  proxy_connect_timeout: "timeouts.connect",
  proxy_download_rate: "rate.down",
  proxy_next_upstream: "nextServer",
  proxy_next_upstream_timeout: "nextServer.timeout",
  proxy_next_upstream_tries: "nextServer.tries",
  proxy_pass: "the destination of a route, or its to",
  proxy_protocol: "proxyProtocol",
  proxy_timeout: "timeouts.idle",
  proxy_upload_rate: "rate.up",
  random: "balance: random",
  resolver_timeout: "resolver.timeout",
  reuseport: "workers",
  round_robin: "balance: round_robin",
  server: "servers",
  server_name: "a key of routes",
  set_real_ip_from: "trustedProxies",
  slow_start: "slowStart",
  stream: "the whole file",
  upstream: "upstreams",
  worker_connections: "limits.connections",
  worker_processes: "workers",
  worker_shutdown_timeout: "timeouts.drain",
};

/** `; nginx's max_conns is maxConnections here`, or nothing. */
export function nginxHint(key: string): string {
  const name = Object.hasOwn(NAMES, key) ? NAMES[key] : undefined;
  return name === undefined ? "" : `; nginx's ${key} is ${name} here`;
}
