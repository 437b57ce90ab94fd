/**
 * What an operator can do about connections that ended for a reason, and which endings are the proxy's own refusals.
 *
 * Owns: both tables. A reason code that is new has to be in them: the types say so.
 */

import type { Reason } from "./reason.ts";

/** Undefined where there is nothing to do. */
export const REMEDIES: Readonly<Record<Reason, string | undefined>> = {
  ok: undefined,
  redirected: undefined,
  not_tls:
    "Clients speak something else on a TLS listener: check their URL and port, or give the listener protocol any.",
  malformed_hello: "Scanners and broken clients do this. If the client is yours, capture its first packet.",
  malformed_request: "Scanners do this. If the client is yours, its request breaks HTTP; the log's detail says how.",
  malformed_proxy_header: "The peer sends no PROXY header: turn it on there, or proxyProtocol off here.",
  malformed_prelude: "Scanners do this. If the client is yours, it does not speak PostgreSQL's protocol.",
  tls_required: "Connect with sslmode=require (or higher): without TLS a PostgreSQL client names no server.",
  unrouted_protocol: "Give the listener a destination for ssh or other, if that protocol should pass.",
  untrusted_peer: "Add the load balancer's network to trustedProxies, if the peer is one.",
  preread_timeout: "Slow or silent clients; a port check does this too. Raise timeouts.preread for very slow links.",
  preread_too_large: "Raise limits.prereadBytes if the client is yours: its first message is unusually large.",
  preread_memory: "Many unfinished first messages at once: raise limits.prereadTotal, or limit clients (newPerSecond).",
  client_left: "Clients gave up before they were connected: look for slow servers or a slow resolver.",
  no_server_name: "The client sends no SNI: use a newer client, or give default a destination.",
  no_route: "Add a route for the name, if it should be served; the log has the name.",
  rejected: "The route says reject; change it if that is not meant.",
  access_denied: "Add the client's network to allow, if it should be let in.",
  per_client_limit: "Raise limits.perClient, if the client is many users behind one address.",
  new_per_second_limit: "Raise limits.newPerSecond or burst, if the client is well-behaved.",
  handshakes_limit:
    "Servers answer too slowly, or this is an attack: look at connect times, or raise limits.handshakes.",
  resolve_failed: "The name has no address: check its spelling and the resolver (certless check --resolve).",
  resolve_timeout: "DNS does not answer: check resolver.servers and the way there.",
  address_refused: "The name leads to a private or own address: allowPrivate on the route, if that is meant.",
  loop: "The name leads back to this proxy: set resolver.servers to a DNS that knows the real address.",
  connect_failed: "The server refuses or cannot be reached: see whether it runs, and the firewall in between.",
  connect_timeout: "The server does not answer: see whether it runs, and the firewall in between.",
  proxy_refused: "The proxy of via says no: check its rules, username and password.",
  tls_refused: "Turn ssl on in the PostgreSQL server's configuration.",
  server_closed: "The server closes at once: look at its own log; it may be overloaded, or not know the name.",
  upstream_busy: "Raise maxConnections, add servers, or give the upstream a longer queue.",
  queue_timeout: "Raise maxConnections, add servers, or raise queue.timeout.",
  upstream_down: "Every server is down: see them under upstreams, each with why.",
  server_down: "A check found the server down while it had connections: see it under upstreams.",
  client_reset: undefined,
  server_reset: "The server, or a firewall on the way, breaks connections: look at its log if there are many.",
  idle_timeout: "Raise timeouts.idle, or let the client send keepalives.",
  route_changed: undefined,
  operator_closed: undefined,
  drain_timeout: "Raise timeouts.drain, if connections need more time to finish at a stop.",
  too_many_connections: "Raise limits.connections and the descriptor limit (ulimit -n, LimitNOFILE=).",
  internal_error: "Please report it, with the warning that was printed.",
};

/** Endings that are no refusal: the client was served, left by itself, or lost a connection that it had. */
const NO_REJECTIONS: ReadonlySet<Reason> = new Set<Reason>([
  "ok",
  "redirected",
  "client_left",
  "server_down",
  "client_reset",
  "server_reset",
  "idle_timeout",
  "route_changed",
  "operator_closed",
  "drain_timeout",
  "internal_error",
]);

/** It was the proxy that turned the client away, by its rules or for want of a server. */
export function isRejection(reason: Reason): boolean {
  return !NO_REJECTIONS.has(reason);
}
