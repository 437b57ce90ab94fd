/**
 * The shapes of `api.ts` as data: JSON Schema, for the OpenAPI description and for the check of bodies.
 *
 * Owns: nothing that `api.ts` does not say; a test holds real answers against it.
 */

import { REASONS } from "../reason.ts";
import { type JsonSchema, reference, type Schemas } from "./schema_check.ts";

const text: JsonSchema = { type: "string" };
const flag: JsonSchema = { type: "boolean" };
const count: JsonSchema = { type: "integer", minimum: 0 };
const time: JsonSchema = { type: "number", description: "Milliseconds since the Unix epoch." };
const duration: JsonSchema = { type: "number", minimum: 0, description: "Milliseconds." };
const bytes: JsonSchema = { type: "number", minimum: 0, description: "Bytes." };
const number: JsonSchema = { type: "number" };
const reason: JsonSchema = { type: "string", enum: Object.keys(REASONS) };

const oneOf = (...values: string[]): JsonSchema => ({ type: "string", enum: values });
const list = (items: JsonSchema): JsonSchema => ({ type: "array", items });
const listOf = (name: string): JsonSchema => list(reference(name));

/** Nothing else may be in it. */
function object(required: Schemas, optional: Schemas = {}): JsonSchema {
  return {
    type: "object",
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

const traffic = { connections: count, rejected: count, received: bytes, sent: bytes };
const configurationState: Schemas = { loadedAt: time, reloads: count };
const configurationMay: Schemas = { path: text, lastReload: reference("ReloadOutcome") };

export const SCHEMAS: Schemas = {
  StatusAnswer: object({
    version: text,
    runtime: text,
    adapter: text,
    startedAt: time,
    now: time,
    state: oneOf("running", "draining"),
    workers: listOf("WorkerAnswer"),
    configuration: reference("ConfigurationState"),
    listeners: listOf("ListenerAnswer"),
    connections: object({ open: count, limit: count, accepted: count }),
    bytes: object({ received: bytes, sent: bytes }),
    endings: listOf("EndingAnswer"),
    findings: listOf("FindingAnswer"),
    memory: object({ resident: bytes }),
    descriptors: object({}, { open: count, limit: count }),
  }),
  WorkerAnswer: object({ worker: { type: "integer", minimum: 1 }, open: count, lag: duration }),
  ConfigurationState: object(configurationState, configurationMay),
  ListenerAnswer: object({ address: text, protocol: text, open: count, accepted: count }),
  EndingAnswer: object(
    { reason, count, lastHour: count, meaning: text, isRejection: flag },
    { remedy: { ...text, description: "What an operator can do about it." } },
  ),
  FindingAnswer: object({ level: oneOf("attention", "trouble"), what: text, remedy: text }),
  ReloadOutcome: object({
    ok: flag,
    at: time,
    duration,
    changes: list(text),
    errors: listOf("ConfigError"),
    reason: text,
    warnings: list(text),
  }),
  ConfigError: object({ code: text, path: text, at: text, line: count, column: count, message: text }),
  HistoryAnswer: object({ interval: duration, samples: listOf("HistorySample") }),
  HistorySample: object({ at: time, open: count, accepted: count, rejected: count, received: bytes, sent: bytes }),
  NamesAnswer: object({ names: listOf("NameTraffic"), others: object(traffic) }),
  NameTraffic: object({ name: text, ...traffic }),
  UpstreamsAnswer: object({ upstreams: listOf("UpstreamStatus") }),
  UpstreamStatus: object({ name: text, servers: listOf("ServerStatus") }),
  ServerStatus: object(
    {
      address: text,
      health: oneOf("unknown", "up", "down"),
      connections: count,
      service: {
        ...oneOf("in", "failing", "down", "disabled", "off"),
        description: "Whether connections are given to it; disabled: an operator has taken it out.",
      },
      certificates: listOf("CertificateStatus"),
    },
    { since: time, checkedAt: time, duration, error: text },
  ),
  CertificateStatus: object(
    {
      subject: text,
      names: list(text),
      issuer: text,
      notBefore: number,
      notAfter: number,
      fingerprint: text,
      daysLeft: number,
    },
    { serverName: text, mismatch: text, untrusted: text },
  ),
  RoutesAnswer: object({ total: count, routes: listOf("RouteAnswer") }),
  RouteAnswer: object({ route: text, to: text, line: count, ...traffic }, { listener: text }),
  ExplainAnswer: object({ name: text, listeners: listOf("ListenerExplanation") }),
  ListenerExplanation: object({ listener: text, protocol: text, isForwarded: flag, lines: list(text) }),
  ConnectionsAnswer: object({ total: count, connections: listOf("ConnectionAnswer") }),
  ConnectionAnswer: object(
    {
      id: count,
      state: oneOf("preread", "connecting", "relaying", "closing"),
      acceptedAt: time,
      client: text,
      listener: text,
      protocol: text,
      received: bytes,
      sent: bytes,
    },
    { serverName: text, route: text, upstream: text, server: text },
  ),
  LogAnswer: object({ lines: listOf("LogLine") }),
  LogLine: object(
    {
      id: count,
      acceptedAt: time,
      duration: number,
      client: text,
      listener: text,
      attempts: list(text),
      reason,
      detail: text,
      received: bytes,
      sent: bytes,
    },
    { serverName: text, route: text },
  ),
  ConfigurationAnswer: object({ ...configurationState, text }, configurationMay),
  ActionAnswer: object({ done: text }),
  ServerAction: object({ upstream: text, address: text, state: oneOf("up", "down") }),
  CloseAction: object({ id: count }),
  ErrorAnswer: object({ code: text, message: text }),
  /** A body that says nothing. */
  Nothing: object({}),
};
