/**
 * A proxy that exists in words alone: answers of the admin interface, the same each time.
 *
 * Owns: the numbers and names. They look like a busy afternoon, so that the page can be judged by its looks.
 */

import type { Served } from "../../page/server_state.ts";
import type {
  ConnectionAnswer,
  EndingAnswer,
  FindingAnswer,
  HistoryAnswer,
  LogLine,
  NamesAnswer,
  ReloadOutcome,
  RouteAnswer,
  StatusAnswer,
} from "../../src/admin/api.ts";
import type { ServerStatus, UpstreamStatus } from "../../src/health/status.ts";
import { REASONS, type Reason } from "../../src/reason.ts";

export const NAMES = [
  "api.example.com",
  "pay.example.com",
  "shop.example.com",
  "cdn.example.net",
  "login.example.com",
  "registry.example.org",
  "hooks.example.com",
  "mail.example.net",
  "search.example.com",
  "db7.corp",
] as const;

const DAY = 86_400_000;
const HOUR = 3_600_000;
const STARTED = Date.now() - 3 * DAY - 4.3 * HOUR;

/** Chance that is the same each time. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function sampleHistory(now: number): HistoryAnswer {
  const random = chance(7);
  const interval = 10_000;
  let burst = 0;
  const samples = Array.from({ length: 360 }, (_, index) => {
    burst = random() < 0.012 ? 1 : burst * 0.93;
    const wave = 1 + 0.35 * Math.sin(index / 47) + 0.12 * Math.sin(index / 9);
    const accepted = Math.round((380 + 90 * random()) * wave);
    return {
      at: now - (359 - index) * interval,
      open: Math.round(2_900 * wave + 180 * random() + 900 * burst),
      accepted,
      rejected: Math.round(9 * random() + (index > 250 && index < 290 ? 70 * random() : 0)),
      received: Math.round(6.1e7 * wave * (0.8 + 0.4 * random())),
      sent: Math.round(4.2e8 * (wave * (0.85 + 0.3 * random()) + 1.1 * burst)),
    };
  });
  return { interval, samples };
}

export function sampleConnections(total: number, now: number): ConnectionAnswer[] {
  const random = chance(3);
  return Array.from({ length: total }, (_, index) => {
    const serverName = NAMES[Math.floor(random() ** 2 * NAMES.length)]!;
    const isPool = serverName === "pay.example.com" || serverName === "shop.example.com";
    return {
      id: total - index,
      state: random() < 0.01 ? "connecting" : "relaying",
      acceptedAt: now - Math.round(index * (HOUR / total) + 900 * random()),
      client: `10.${index % 7}.${Math.floor(random() * 256)}.${1 + Math.floor(random() * 254)}:${40_000 + (index % 20_000)}`,
      listener: "0.0.0.0:443",
      protocol: "tls",
      serverName,
      route: serverName.endsWith(".corp") ? "~^db[0-9]+\\.corp$" : serverName,
      upstream: isPool ? "payments" : undefined,
      server: isPool ? `203.0.113.${7 + (index % 3)}:443` : `198.51.100.${10 + (index % 40)}:443`,
      received: Math.round(2_000 * random() ** 2 + 600),
      sent: Math.round(4e6 * random() ** 6 + 5_200),
    };
  });
}

function certificate(serverName: string, daysLeft: number, now: number): ServerStatus["certificates"][number] {
  return {
    subject: serverName,
    names: [serverName],
    issuer: "Example Trust CA 3",
    notBefore: now - 60 * DAY,
    notAfter: now + daysLeft * DAY,
    fingerprint: "ab".repeat(32),
    mismatch: undefined,
    untrusted: undefined,
    serverName,
    daysLeft,
  };
}

export function sampleUpstreams(now: number, isWell: boolean): UpstreamStatus[] {
  const server = (address: string, name: string, days: number, more: Partial<Served> = {}) => ({
    address,
    service: "in" as const,
    health: "up" as const,
    since: now - 3 * DAY - 4 * HOUR,
    checkedAt: now - 1_800,
    duration: 11 + (address.length % 5) * 3,
    connections: 412,
    error: undefined,
    certificates: [certificate(name, days, now)],
    ...more,
  });
  const fallen = {
    health: "down",
    service: "down",
    since: now - 754_000,
    connections: 0,
    error: "connect: refused (ECONNREFUSED)",
  } as const;
  return [
    {
      name: "payments",
      servers: [
        server("203.0.113.7:443", "pay.example.com", 61, { connections: 208 }),
        server("203.0.113.8:443", "pay.example.com", 61, isWell ? { connections: 197 } : fallen),
        server("203.0.113.9:443", "pay.example.com", isWell ? 61 : 9, { connections: isWell ? 201 : 388 }),
      ],
    },
    {
      name: "search",
      servers: [
        server("search-1.example.net:443", "search.example.com", 140, { connections: 96 }),
        server("search-2.example.net:443", "search.example.com", 140, { connections: 88 }),
      ],
    },
  ];
}

const REMEDIES: Partial<Record<Reason, string>> = {
  no_route: "If these names are yours, add a route for them; `certless route NAME` says which rule holds a name.",
  preread_timeout: "Usually port scanners and health checks that only connect. Nothing has to be done.",
  connect_failed:
    "Look at the servers: is the address right, does something listen there? `certless probe` asks them all.",
  client_reset: "Clients that are closed, or lose their network. Nothing has to be done.",
  per_client_limit: "One client has more connections than limits.perClient: raise it if that client may.",
};

export function sampleEndings(isWell: boolean): EndingAnswer[] {
  const ending = (reason: Reason, count: number, lastHour: number, isRejection: boolean): EndingAnswer => ({
    reason,
    count,
    lastHour,
    meaning: REASONS[reason],
    remedy: REMEDIES[reason],
    isRejection,
  });
  return [
    ending("ok", 12_884_201, 149_830, false),
    ending("client_reset", 48_120, 602, false),
    ending("no_route", 31_007, 418, true),
    ending("preread_timeout", 9_410, 96, true),
    ending("connect_failed", 2_114, isWell ? 3 : 1_231, true),
    ending("per_client_limit", 812, 0, true),
    ending("idle_timeout", 640, 7, false),
  ];
}

const FINDINGS: readonly FindingAnswer[] = [
  {
    level: "trouble",
    what: "203.0.113.8:443 of upstream payments is down for 12 minutes: connect: refused (ECONNREFUSED)",
    remedy:
      "Is the server running? The other 2 servers carry its share. `certless probe` asks it once more and shows why.",
  },
  {
    level: "attention",
    what: "The certificate of 203.0.113.9:443 (pay.example.com) ends in 9 days",
    remedy: "Renew it on that server; clients will refuse it from then on. certless itself holds no certificate.",
  },
  {
    level: "attention",
    what: "The last reload was refused: 1 fault in certless.yaml; the configuration of 09:02 stays in force",
    remedy: "Mend certless.yaml:14:21 (see Configuration below), then reload.",
  },
];

function reloadOf(now: number, isWell: boolean): ReloadOutcome {
  const common = { at: now - 1_260_000, warnings: [] };
  if (isWell) {
    return {
      ...common,
      ok: true,
      duration: 84,
      errors: [],
      reason: "",
      changes: ["route added: hooks.example.com → direct"],
    };
  }
  const message = "Cannot read address '203.0.113.8:44e3': a port is a number from 1 to 65535";
  const place = { path: "certless.yaml", at: "upstreams.payments.servers[1].address", line: 14, column: 21 };
  return {
    ...common,
    ok: false,
    duration: 31,
    errors: [{ code: "bad_value", ...place, message }],
    reason: "",
    changes: [],
  };
}

export function sampleStatus(now: number, isWell: boolean, open: number): StatusAnswer {
  const seconds = (now % 1_000_000) / 1000;
  return {
    version: "0.1.0",
    runtime: "bun 1.4.5",
    adapter: "linux",
    startedAt: STARTED,
    now,
    state: "running",
    workers: [1, 2, 3, 4].map((worker) => ({ worker, open: Math.round(open / 4), lag: worker })),
    configuration: {
      path: "/etc/certless/certless.yaml",
      loadedAt: now - (isWell ? 1_260_000 : 4 * HOUR),
      reloads: 6,
      lastReload: reloadOf(now, isWell),
    },
    listeners: [
      { address: "0.0.0.0:443", protocol: "tls", open, accepted: 12_980_114 },
      { address: "0.0.0.0:80", protocol: "http", open: 3, accepted: 41_200 },
    ],
    connections: { open, limit: 19_000, accepted: 13_021_314 + Math.round(seconds * 62) },
    bytes: { received: 1.9e12 + seconds * 1.01e7, sent: 1.31e13 + seconds * 6.93e7 },
    endings: sampleEndings(isWell),
    findings: isWell ? [] : FINDINGS,
    memory: { resident: 148_000_000 },
    descriptors: { open: open * 2 + 61, limit: 65_536 },
  };
}

export function sampleNames(): NamesAnswer {
  const random = chance(11);
  const names = NAMES.map((name, index) => ({
    name,
    connections: Math.round(4_100_000 / (index + 1) ** 1.3),
    rejected: Math.round(random() * 90),
    received: Math.round(8.2e11 / (index + 1) ** 1.6),
    sent: Math.round(5.6e12 / (index + 1) ** 1.5),
  }));
  return { names, others: { connections: 41_200, rejected: 31_007, received: 2.2e9, sent: 6.1e9 } };
}

export function sampleRoutes(): RouteAnswer[] {
  const written = [...NAMES.slice(0, 9), "*.baidu.example", "~^db[0-9]+\\.corp$", "default"];
  const to = (route: string): string => {
    if (route === "default") return "reject";
    return route.startsWith("pay") || route.startsWith("shop") ? "payments" : "direct";
  };
  return written.map((route, index) => ({
    route,
    listener: undefined,
    to: to(route),
    line: 6 + index,
    connections: Math.round(4_100_000 / (index + 1) ** 1.3),
    rejected: 3 * index,
    received: Math.round(8.2e11 / (index + 1) ** 1.6),
    sent: Math.round(5.6e12 / (index + 1) ** 1.5),
  }));
}

export function sampleLog(now: number): LogLine[] {
  const random = chance(5);
  const reasons: readonly Reason[] = [
    "ok",
    "ok",
    "ok",
    "ok",
    "ok",
    "client_reset",
    "ok",
    "no_route",
    "ok",
    "connect_failed",
  ];
  return Array.from({ length: 100 }, (_, index) => {
    const reason = reasons[Math.floor(random() * reasons.length)]!;
    const hasServer = reason === "ok" || reason === "client_reset";
    const duration = Math.round(hasServer ? 40_000 * random() ** 3 + 80 : 3 + 9 * random());
    const name = reason === "no_route" ? "old.example.com" : NAMES[Math.floor(random() ** 2 * NAMES.length)]!;
    const tried = reason === "connect_failed" ? ["203.0.113.8:443 (refused)"] : ["198.51.100.21:443"];
    return {
      id: 900_000 - index,
      acceptedAt: Math.floor(now / 1000) * 1000 - index * 61 - duration,
      duration,
      client: `10.2.${Math.floor(random() * 256)}.${1 + Math.floor(random() * 254)}:${41_000 + index}`,
      listener: "0.0.0.0:443",
      serverName: name,
      route: reason === "no_route" ? "default" : name,
      attempts: reason === "no_route" ? [] : tried,
      reason,
      detail: reason === "connect_failed" ? "connection refused" : "",
      received: Math.round(1_900 * random()) + 517,
      sent: hasServer ? Math.round(90_000 * random()) : 7,
    };
  });
}
