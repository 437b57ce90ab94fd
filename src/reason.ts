/**
 * Reason codes: why a connection ended, one fixed word each, in the access log and in metrics.
 *
 * Owns: the list. Codes are never renamed; a new cause gets a new code.
 */

/** Every reason code with its meaning. The README's table is made from it. */
export const REASONS = {
  ok: "both sides finished",
  redirected: "answered with a redirect to https (redirectToHttps)",
  not_tls: "the first byte is not that of a TLS record",
  malformed_hello: "the ClientHello breaks the TLS specification",
  malformed_request: "the HTTP request head is invalid or ambiguous",
  malformed_proxy_header: "a PROXY header was expected and what came is none",
  malformed_prelude: "what came in front of the ClientHello breaks PostgreSQL's protocol",
  tls_required: "the PostgreSQL client wants no TLS, and so names no server",
  unrouted_protocol: "the listener takes any protocol, and has no destination for this one",
  untrusted_peer: "a PROXY header is required here and the peer is not in trustedProxies",
  preread_timeout: "the client did not finish its first message within timeouts.preread",
  preread_too_large: "the client's first message is larger than limits.prereadBytes",
  preread_memory: "first messages of all clients together reached limits.prereadTotal",
  client_left: "the client closed before it was connected to a server",
  no_server_name: "the client sent no name, and default is reject",
  no_route: "no route holds the name, and default is reject",
  rejected: "the route says reject",
  access_denied: "the access lists of the listener or the route do not let the client in",
  per_client_limit: "the client has limits.perClient connections open",
  new_per_second_limit: "the client opens connections faster than limits.newPerSecond",
  handshakes_limit: "limits.handshakes connections were waiting for their server",
  resolve_failed: "the destination's name has no address",
  resolve_timeout: "the resolver did not answer in time",
  address_refused: "direct resolved to a private, local or own address",
  loop: "the connection came back to the listener that had sent it out",
  connect_failed: "no server accepted the connection",
  connect_timeout: "no server answered within timeouts.connect",
  proxy_refused: "the proxy named by via did not lead on to the server",
  tls_refused: "the PostgreSQL server does not grant TLS",
  server_closed: "every server that took the connection closed it before its first byte",
  upstream_busy: "every server of the upstream has its maxConnections, and its queue is full",
  queue_timeout: "no server of the upstream had room within queue.timeout",
  upstream_down: "every server of the upstream is out of service",
  server_down: "active checks found the server down, and its connections are cut then (healthCheck.onDown)",
  client_reset: "the client's connection broke",
  server_reset: "the server's connection broke",
  idle_timeout: "no byte either way for timeouts.idle",
  route_changed: "a new configuration took its route or its server away (onChange)",
  operator_closed: "an operator closed it by the admin interface",
  drain_timeout: "still open when timeouts.drain ended at shutdown",
  too_many_connections: "limits.connections was reached",
  internal_error: "a fault in certless: please report it",
} as const;

export type Reason = keyof typeof REASONS;
