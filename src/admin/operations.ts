/**
 * Everything that can be asked of the admin interface: one table, from which requests are answered and the description
 * is made.
 *
 * Owns: paths, methods, parameters and the words about them. How an answer comes about is in files of their own.
 */

import { closeConnection, drain, reload, switchServer } from "./actions.ts";
import { configurationText } from "./configuration_text.ts";
import { connectionsAnswer, logAnswer } from "./connections.ts";
import { json, limitParameter, OFFSET, type Operation, textParameter } from "./operation.ts";
import { needNumbers } from "./proxy_numbers.ts";
import { explainAnswer, routesAnswer } from "./routes.ts";
import { statusAnswer } from "./status.ts";

export const PREFIX = "/api/v1/";
/** The text format of Prometheus that `/metrics` speaks. */
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

const LOOK: readonly Operation[] = [
  {
    method: "GET",
    path: `${PREFIX}status`,
    id: "status",
    summary: "How the proxy is: one look says whether all is well.",
    answers: { 200: "StatusAnswer" },
    run: (proxy) => json(statusAnswer(proxy)),
  },
  {
    method: "GET",
    path: `${PREFIX}history`,
    id: "history",
    summary: "Connections and bytes of the last hour, oldest first.",
    answers: { 200: "HistoryAnswer", 501: "ErrorAnswer" },
    run: (proxy) => json(needNumbers(proxy, "tell the last hour").history()),
  },
  {
    method: "GET",
    path: `${PREFIX}names`,
    id: "names",
    summary: "Server names by bytes, the busiest first.",
    parameters: [limitParameter(1_000, 50)],
    answers: { 200: "NamesAnswer", 501: "ErrorAnswer" },
    run: (proxy, { parameters }) => json(needNumbers(proxy, "tell names").names(parameters.number("limit"))),
  },
  {
    method: "GET",
    path: `${PREFIX}upstreams`,
    id: "upstreams",
    summary: "Upstreams' servers, their health and certificates.",
    answers: { 200: "UpstreamsAnswer" },
    run: ({ upstreams }) => json({ upstreams }),
  },
  {
    method: "GET",
    path: `${PREFIX}routes`,
    id: "routes",
    summary: "Routes as the table holds them, default last, with what they carry.",
    parameters: [
      textParameter("query", "Only routes that have this in their pattern or destination."),
      OFFSET,
      limitParameter(1_000, 100),
    ],
    answers: { 200: "RoutesAnswer" },
    run: async (proxy, { parameters }) => json(await routesAnswer(proxy, parameters)),
  },
  {
    method: "GET",
    path: `${PREFIX}route`,
    id: "route",
    summary: "Where a name goes, and why: the same as `certless route NAME`.",
    parameters: [
      { ...textParameter("name", "The server name."), isRequired: true },
      { name: "port", description: "Only the listener on this port.", number: { minimum: 1, maximum: 65_535 } },
      textParameter("client", "An IP address: as this client."),
    ],
    answers: { 200: "ExplainAnswer" },
    run: (proxy, { parameters }) => json(explainAnswer(proxy, parameters)),
  },
  {
    method: "GET",
    path: `${PREFIX}connections`,
    id: "connections",
    summary: "Open connections, newest first. Filters are parts of text.",
    parameters: [
      textParameter("name", "Server name."),
      textParameter("route", "Route, as written."),
      textParameter("upstream", "Upstream."),
      textParameter("server", "Server's address."),
      textParameter("client", "Client's address."),
      textParameter("listener", "Listener's address."),
      OFFSET,
      limitParameter(1_000, 100),
    ],
    answers: { 200: "ConnectionsAnswer" },
    run: async (proxy, { parameters }) => json(await connectionsAnswer(proxy, parameters)),
  },
  {
    method: "GET",
    path: `${PREFIX}log`,
    id: "log",
    summary: "The latest connections that have ended, newest first.",
    parameters: [
      textParameter("reason", "A reason code."),
      textParameter("name", "Part of the server name."),
      limitParameter(1_000, 100),
    ],
    answers: { 200: "LogAnswer" },
    run: async (proxy, { parameters }) => json(await logAnswer(proxy, parameters)),
  },
  {
    method: "GET",
    path: `${PREFIX}configuration`,
    id: "configuration",
    summary: "The configuration in force, with every default; routes are told by `routes`.",
    answers: { 200: "ConfigurationAnswer" },
    run: ({ config, configuration }) => json({ ...configuration, text: configurationText(config) }),
  },
];

const ACT: readonly Operation[] = [
  {
    method: "POST",
    path: `${PREFIX}reload`,
    id: "reload",
    summary: "Reads the configuration file anew and puts it in force; with faults the former one stays.",
    body: "Nothing",
    answers: { 200: "ReloadOutcome", 422: "ReloadOutcome", 501: "ErrorAnswer" },
    run: reload,
  },
  {
    method: "POST",
    path: `${PREFIX}drain`,
    id: "drain",
    summary: "Stops accepting; the proxy ends when its connections have, at the latest after timeouts.drain.",
    body: "Nothing",
    answers: { 200: "ActionAnswer", 501: "ErrorAnswer" },
    run: drain,
  },
  {
    method: "POST",
    path: `${PREFIX}servers`,
    id: "servers",
    summary: "Takes an upstream's server out of service, or in again; its connections go on.",
    body: "ServerAction",
    answers: { 200: "ActionAnswer", 404: "ErrorAnswer" },
    run: switchServer,
  },
  {
    method: "POST",
    path: `${PREFIX}close`,
    id: "close",
    summary: "Ends one connection.",
    body: "CloseAction",
    answers: { 200: "ActionAnswer", 404: "ErrorAnswer" },
    run: closeConnection,
  },
];

const FOR_PROGRAMS: readonly Operation[] = [
  {
    method: "GET",
    path: "/metrics",
    id: "metrics",
    summary: "Numbers in Prometheus' text format.",
    answers: { 200: PROMETHEUS, 501: "ErrorAnswer" },
    run: (proxy) => ({ status: 200, type: PROMETHEUS, body: needNumbers(proxy, "tell metrics").prometheus() }),
  },
  {
    method: "GET",
    path: "/healthz",
    id: "healthz",
    summary: "For load balancers: 200 while it accepts connections, 503 while it drains.",
    answers: { 200: "text/plain; charset=utf-8", 503: "text/plain; charset=utf-8" },
    run: ({ state }) => ({
      status: state === "running" ? 200 : 503,
      type: "text/plain; charset=utf-8",
      body: `${state}\n`,
    }),
  },
];

/** All but the description itself, which is made from them. */
export const OPERATIONS: readonly Operation[] = [...LOOK, ...ACT, ...FOR_PROGRAMS];
