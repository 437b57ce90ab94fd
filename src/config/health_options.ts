/**
 * The options of an upstream's active checks, `healthCheck`.
 *
 * Owns: their names, types, bounds and descriptions, and the defaults that hang on the type. It must not look at two
 * options at once (`health_conflicts.ts` does).
 */

import * as z from "zod";
import type { ToAscii } from "../hostname.ts";
import { normalizeConfigName } from "../hostname.ts";
import type { Refusal } from "./destination.ts";
import type { HealthCheckConfig, StatusRange } from "./health_config.ts";
import { bool, choice, duration, integer, map, text } from "./option_kinds.ts";

const TYPES = ["tcp", "tls", "http"] as const;
const METHODS = ["GET", "HEAD", "OPTIONS"] as const;

function readName(value: string, toAscii: ToAscii): string | Refusal {
  return normalizeConfigName(value, toAscii) ?? { error: "it must be a host name, such as api.example.com" };
}

/** What goes into a request line or a Host field as it stands: no blank, no control character. */
function readPath(value: string): string | Refusal {
  return /^\/[!-~]{0,1023}$/.test(value) ? value : { error: "it must begin with / and have no blank in it" };
}

function readHost(value: string): string | Refusal {
  return /^[A-Za-z0-9._:[\]-]{1,255}$/.test(value) ? value : { error: "it must be a host, with or without a port" };
}

const EXPECTED = "a status such as 200, or a range such as 200-399";

function readStatuses(value: string): StatusRange | Refusal {
  const found = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(value);
  const from = Number(found?.[1]);
  const to = Number(found?.[2] ?? from);
  return found === null || to < from ? { error: `it must be ${EXPECTED}` } : { from, to };
}

function buildExpect() {
  const error = `it must be ${EXPECTED}`;
  const one = integer(100, 599, EXPECTED).transform((status): StatusRange => ({ from: status, to: status }));
  return z.union([one, text(EXPECTED, readStatuses, { title: "status" })], { error });
}

export function buildHealthCheck(toAscii: ToAscii) {
  const type = choice(TYPES);
  const whole = map({
    type: type.meta({
      description:
        "`tcp`: a connect. `tls`: a handshake that reads the certificate, on a connection of certless' own. `http`: a request without TLS.",
    }),
    interval: duration(10).prefault("5s").meta({ description: "From the end of one check to the next, ±10 %." }),
    timeout: duration(10).optional().meta({ description: "For one check; 2s if absent, at most `interval`." }),
    rise: integer(1, 100, "a whole number from 1 to 100").default(2).meta({
      description: "Good checks in a row that bring a server back.",
    }),
    fall: integer(1, 100, "a whole number from 1 to 100").default(3).meta({
      description: "Failed checks in a row that take a server out.",
    }),
    port: integer(1, 65535, "a port from 1 to 65535").optional().meta({
      description: "Where to check; the server's own port if absent.",
    }),
    serverName: text("a host name", (value) => readName(value, toAscii), { title: "name" })
      .optional()
      .meta({
        description: "`tls`: the name to ask for; if absent, the exact names whose routes lead here, up to 8.",
      }),
    verify: bool().optional().meta({
      description: "`tls`: fail where the certificate is expired, for another name, or not trusted on this machine.",
    }),
    expiryWarning: duration(0).optional().meta({
      description: "`tls`: warn when a certificate expires within this time; `14d` if absent.",
    }),
    method: choice(METHODS).optional().meta({ description: "`http`: `GET` if absent." }),
    path: text("a path such as /health", readPath, { title: "path" }).optional().meta({
      description: "`http`: `/` if absent.",
    }),
    host: text("a host", readHost, { title: "host" }).optional().meta({
      description:
        "`http`: the Host field; if absent, the first exact name whose route leads here, else the server's address.",
    }),
    expect: buildExpect().optional().meta({ description: "`http`: the status that is well; `200-399` if absent." }),
    onDown: choice(["keep", "cut"]).default("keep").meta({
      description: "What becomes of a server's connections when it goes down.",
    }),
  });
  const short = type.transform((value) => whole.parse({ type: value }));
  return z.union([short, whole], { error: "it must be tcp, tls or http, or a map with type" });
}

export type ParsedHealthCheck = z.output<ReturnType<typeof buildHealthCheck>>;

const DAY = 86_400_000;
const TIMEOUT = 2_000;

export function toHealthCheck(parsed: ParsedHealthCheck): HealthCheckConfig {
  const { type, interval, rise, fall, port, serverName, onDown } = parsed;
  const { method = "GET", path = "/", host, expect = { from: 200, to: 399 } } = parsed;
  return {
    type,
    interval,
    timeout: parsed.timeout ?? Math.min(TIMEOUT, interval),
    rise,
    fall,
    port,
    serverName,
    verify: parsed.verify ?? false,
    expiryWarning: parsed.expiryWarning ?? 14 * DAY,
    request: { method, path, host, expect },
    onDown,
  };
}

/** The check of an upstream that says no more than its type. */
export function defaultHealthCheck(type: HealthCheckConfig["type"]): HealthCheckConfig {
  return toHealthCheck({ type, interval: 5_000, rise: 2, fall: 3, onDown: "keep" });
}
