/**
 * Upstreams and their servers: health, since when, the last error, certificates, and taking one out or back.
 */

import type { ServerAction } from "../src/admin/api.ts";
import type { ServerStatus, UpstreamStatus } from "../src/health/status.ts";
import { act, type Context } from "./context.ts";
import { badge, button, byId, html, setText, type Tone } from "./element.ts";
import { type Column, LiveTable, textColumn } from "./live_rows.ts";
import { stateOf } from "./server_state.ts";
import { count, duration, foreign } from "./text.ts";
import { expiryOf, firstExpiry } from "./verdict.ts";

interface ServerRow {
  readonly upstream: string;
  readonly server: ServerStatus;
  /** Its place in the upstream: DNS may name one address twice. */
  readonly place: number;
  readonly now: number;
}

function showBadge(cell: HTMLElement, tone: Tone, text: string): void {
  if (cell.textContent === text && cell.firstElementChild?.className === `badge ${tone}`) return;
  cell.replaceChildren(badge(tone, text));
}

function showState({ server }: ServerRow, cell: HTMLElement): void {
  const { tone, word } = stateOf(server);
  showBadge(cell, tone, word);
}

function since({ server, now }: ServerRow): string {
  return server.since === undefined ? "–" : duration(now - server.since);
}

function showCertificate({ server }: ServerRow, cell: HTMLElement): void {
  const certificate = firstExpiry(server);
  if (certificate === undefined) {
    setText(cell, "–");
    return;
  }
  const { tone, text } = expiryOf(certificate.daysLeft);
  showBadge(cell, tone, text);
  const faults = [certificate.mismatch, certificate.untrusted].filter((fault) => fault !== undefined);
  cell.title = foreign([certificate.subject, `by ${certificate.issuer}`, ...faults].join("\n"));
}

function showError({ server }: ServerRow, cell: HTMLElement): void {
  const fault = server.certificates.find(({ mismatch, untrusted }) => mismatch ?? untrusted);
  const text = server.error ?? fault?.mismatch ?? fault?.untrusted ?? "–";
  setText(cell, foreign(text));
  cell.title = foreign(text);
}

function showActions(context: Context, { upstream, server }: ServerRow, cell: HTMLElement): void {
  const { action } = stateOf(server);
  if (cell.dataset.action === `${action}`) return;
  cell.dataset.action = `${action}`;
  const isDown = action === "down";
  const of = `${foreign(server.address)} of ${foreign(upstream)}`;
  const question = {
    title: isDown ? "Take the server out?" : "Bring the server back?",
    text: isDown
      ? `${of} gets no new connections until it is brought back. Those it has go on.`
      : `${of} gets new connections again, unless its checks find it down.`,
    action: isDown ? "Take out" : "Bring back",
    isHarmful: isDown,
  };
  const press = (): void => {
    const body: ServerAction = { upstream, address: server.address, state: isDown ? "down" : "up" };
    void act(context, question, "servers", body);
  };
  const attributes = { class: "small", "aria-label": `${question.action} ${of}` };
  cell.replaceChildren(...(action === undefined ? [] : [button(`${question.action}…`, attributes, press)]));
}

function columnsOf(context: Context): readonly Column<ServerRow>[] {
  return [
    textColumn("Upstream", ({ upstream }) => foreign(upstream), "name"),
    textColumn("Server", ({ server }) => foreign(server.address), "name mono"),
    { title: "State", show: showState },
    textColumn("For", since, "number"),
    textColumn("Open", ({ server }) => count(server.connections), "number"),
    textColumn("Check", ({ server }) => (server.duration === undefined ? "–" : duration(server.duration)), "number"),
    { title: "Certificate", kind: "fit", show: showCertificate },
    { title: "Last error", kind: "wide", show: showError },
    { title: "", kind: "buttons", show: (row, cell) => showActions(context, row, cell) },
  ];
}

export function createUpstreamsView(context: Context): (upstreams: readonly UpstreamStatus[], now: number) => void {
  const key = ({ upstream, server, place }: ServerRow): string => JSON.stringify([upstream, server.address, place]);
  const empty = "No upstreams: every route leads to an address of its own.";
  const table = new LiveTable("Upstream servers", columnsOf(context), key, empty);
  const note = html("p", { class: "note" });
  byId("upstreams").append(note, table.element);
  return (upstreams, now) => {
    const rows = upstreams.flatMap(({ name, servers }) =>
      servers.map((server, place) => ({ upstream: name, server, place, now })),
    );
    const down = rows.filter(({ server }) => !stateOf(server).isIn).length;
    setText(
      note,
      rows.length === 0
        ? ""
        : `${rows.length - down} of ${rows.length} in service${down === 0 ? "" : "; the others come first"}.`,
    );
    table.update(rows.sort((a, b) => Number(stateOf(a.server).isIn) - Number(stateOf(b.server).isIn)));
  };
}
