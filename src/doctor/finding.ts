/**
 * What a doctor finds.
 *
 * Owns: the list of findings, each with why it matters and what to do. What was seen is the examination's. An `id` is
 * never renamed.
 */

/** `fault`: it does not work; `warning`: it will not, or for some; `note`: worth knowing; `ok`: looked at, and well. */
export type Level = "ok" | "note" | "warning" | "fault";

export const LEVELS: readonly Level[] = ["fault", "warning", "note", "ok"];

interface Kind {
  readonly level: Level;
  readonly why: string;
  readonly remedy: string;
}

const well = (why: string): Kind => ({ level: "ok", why, remedy: "" });

/** Every kind of finding. `docs/doctor.md` has the table that is made from it. */
export const FINDINGS = {
  // --- a name, as clients see it ---
  leads_to_proxy: well("clients on this machine reach the proxy by this name"),
  resolves: well("the name has addresses"),
  leads_past_proxy: {
    level: "warning",
    why: "clients here go to the server themselves, and certless never sees them",
    remedy: "point the name at the proxy: the line that certless hosts prints, in this machine's hosts file or DNS",
  },
  leads_partly_past_proxy: {
    level: "warning",
    why: "a client may take any of a name's addresses, IPv6 first: some connections go past the proxy",
    remedy: "give the name an address of the proxy for each family, or only the proxy's",
  },
  ipv6_past_hosts: {
    level: "warning",
    why:
      "the hosts file has IPv4 alone, and this machine has IPv6: programs that ask for each family by itself get the server's own " +
      "IPv6 address from DNS, and go past the proxy",
    remedy: "give the name the proxy's IPv6 address in the hosts file, too, or let DNS answer no AAAA for it",
  },
  name_unresolved: {
    level: "fault",
    why: "nobody can connect to a name without an address",
    remedy: "correct the name, or the resolver; a name that only clients know needs a line in their hosts file",
  },
  resolver_silent: {
    level: "fault",
    why: "routes to names cannot be served while nobody resolves them",
    remedy: "see that the DNS servers are reachable from here, or name others in resolver.servers",
  },
  https_record: {
    level: "warning",
    why: "browsers follow HTTPS records (RFC 9460): they may go around the proxy, or hide the name from it",
    remedy:
      "let the clients' DNS answer nothing for type HTTPS of this name, or give them the proxy by DNS rather than by hosts file",
  },
  resolver_answers: well("the DNS server answers"),
  no_https_record: well("no HTTPS record leads clients around the proxy"),
  not_routed: {
    level: "fault",
    why: "the proxy turns clients of this name away",
    remedy: "add a route for the name; certless route NAME shows which rule it meets",
  },
  routed: well("a route holds the name"),
  // --- the way to servers ---
  loop: {
    level: "fault",
    why: "the proxy would connect to itself, again and again",
    remedy:
      "have the proxy resolve the name by DNS (resolver.servers), not by its own hosts file, or route it to an address",
  },
  address_refused: {
    level: "fault",
    why: "direct refuses addresses that are not global, so that nobody reaches the inner network through the proxy",
    remedy: "set allowPrivate: true on the route if that is meant, or correct the name's address",
  },
  server_unreachable: {
    level: "fault",
    why: "clients that are routed there are turned away",
    remedy: "see that the server runs and that this machine may reach it: certless probe asks all of them",
  },
  server_well: well("the server answers with a certificate for the name"),
  certificate_unfit: {
    level: "fault",
    why: "clients check the server's certificate themselves, and will refuse this one",
    remedy: "give the server a certificate for the name, or route the name to a server that has one",
  },
  certificate_untrusted: {
    level: "note",
    why: "this machine does not know who issued the certificate; its clients may, and only they decide",
    remedy: "where clients trust an authority of your own, give it to certless, too: NODE_EXTRA_CA_CERTS=ca.pem",
  },
  certificate_ends: {
    level: "warning",
    why: "clients refuse a certificate that has expired, and the proxy cannot help",
    remedy: "have the server's certificate renewed",
  },
  clock: {
    level: "warning",
    why: "certificates are judged by this machine's clock, and log lines are dated by it",
    remedy: "set the clock: timedatectl shows whether it is synchronised",
  },
  clock_agrees: well("the server's clock and this one tell the same time"),
  upstream_well: well("each of its servers answers"),
  upstream_partly_down: {
    level: "warning",
    why: "the others carry its share, and it costs clients a try now and then unless there is a healthCheck",
    remedy: "see that the server runs, or take it out: down: true",
  },
  upstream_on_backups: {
    level: "warning",
    why: "only backups are left: one more failure, and clients are turned away",
    remedy: "see that its first servers run and that this machine may reach them",
  },
  upstream_down: {
    level: "fault",
    why: "no server of it answers: clients that are routed there are turned away",
    remedy: "see that the servers run and that this machine may reach them: certless probe shows each",
  },
  proxy_passes: well("through the running proxy the name reaches the same server as without it"),
  proxy_differs: {
    level: "warning",
    why: "through the proxy another certificate is shown than by the server that the route names",
    remedy:
      "if the servers of an upstream have certificates of their own, all is well; else see what runs on the proxy's port",
  },
  proxy_unreachable: {
    level: "fault",
    why: "clients cannot connect",
    remedy: "start certless, or see what stands between: a firewall, another address",
  },
  certificates_share_names: {
    level: "fault",
    why:
      "both names lead clients to one address of the proxy, and the first server's certificate is good for the second name: " +
      "browsers and SDKs then send the second name's requests over the first's connection (RFC 9113 §9.1.1), to the wrong server",
    remedy:
      "give each group of names a listen address of its own (a listener with its own routes); certless hosts then prints the right address for each name",
  },
  // --- the configuration by itself ---
  route_shadowed: {
    level: "warning",
    why: "no name ever meets this route, whatever it says",
    remedy: "remove it, or put it before the route that takes its names",
  },
  route_redundant: {
    level: "note",
    why: "a wildcard says the same for this name already",
    remedy: "remove it, unless it is there for its reader",
  },
  routes_unused: {
    level: "warning",
    why: "every listener has routes of its own, so that the global ones never count",
    remedy: "remove the global routes, or the listeners' own",
  },
  upstream_unused: {
    level: "note",
    why: "no route leads to this upstream",
    remedy: "remove it, or route a name to it",
  },
  regex_exponential: {
    level: "warning",
    why: "on a name that a stranger makes up this expression can take longer than the world lasts, and the worker with it",
    remedy: "let no repetition hold another one for the same characters: (a+)+ is a+, ([a-z]+-?)+ is [a-z-]+",
  },
  regex_slow: {
    level: "warning",
    why: "on a long name that a stranger makes up it takes tens of milliseconds or more, and the worker with it",
    remedy: "anchor it with ^, and say what a name may have in place of .*: [^.]+ stays within one label",
  },
  regex_unknown: {
    level: "note",
    why: "references and looking around cannot be judged for the time that they take",
    remedy: "write it without them if strangers can reach the listener",
  },
  // --- this machine ---
  descriptors: {
    level: "warning",
    why: "a connection takes two descriptors: clients wait when they run out",
    remedy: "raise the limit with ulimit -n, or LimitNOFILE= in the systemd unit; or lower limits.connections",
  },
  port_unusable: {
    level: "fault",
    why: "the listener cannot be opened",
    remedy: "ports below 1024 need CAP_NET_BIND_SERVICE or root; an address must be one of this machine's",
  },
  port_served: well("a certless that runs has the port"),
  port_taken: {
    level: "fault",
    why: "another program has the port, and certless cannot open it",
    remedy: "stop that program, or give the listener another port",
  },
  port_in_use: {
    level: "note",
    why: "a certless that runs has it, or another program; it cannot be seen who",
    remedy: "ss -ltnp shows whose it is",
  },
  not_examined: {
    level: "note",
    why: "an examination has its limits, in time and in number",
    remedy: "certless doctor NAME examines one name as a whole",
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type FindingId = keyof typeof FINDINGS;

/** One finding. `subject` and `seen` may hold foreign text, which is escaped already. */
export interface Finding {
  readonly id: FindingId;
  readonly level: Level;
  /** A name, an option, an address. */
  readonly subject: string;
  readonly seen: string;
  readonly why: string;
  readonly remedy: string;
}

export function finding(id: FindingId, subject: string, seen: string): Finding {
  const { level, why, remedy } = FINDINGS[id];
  return { id, level, subject, seen, why, remedy };
}

/** The worst first; of one level in the order in which they were found. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return LEVELS.flatMap((level) => findings.filter((one) => one.level === level));
}
