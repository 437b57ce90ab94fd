/**
 * Upstreams and their servers: health, since when, the last error, certificates, and taking one out or back.
 */

import type { ServerAction } from "../src/admin/api.ts";
import type { ServerStatus, UpstreamStatus } from "../src/health/status.ts";
import { act, type Context } from "./context.ts";
import { badge, button, byId, html, setText, type Tone } from "./element.ts";
import { type Column, LiveTable, textColumn } from "./live_rows.ts";
import { count, duration, foreign } from "./text.ts";
import { expiryOf, firstExpiry } from "./verdict.ts";

interface ServerRow {
  readonly upstream: string;
  readonly server: ServerStatus;
  readonly now: number;
}

const TONES: Readonly<Record<ServerStatus["health"], Tone>> = { up: "good", down: "bad", unknown: "quiet" };
const HEALTH = { up: "up", down: "down", unknown: "not checked" } as const;

function showBadge(cell: HTMLElement, tone: Tone, text: string): void {
  if (cell.textContent === text && cell.firstElementChild?.className === `badge ${tone}`) return;
  cell.replaceChildren(badge(tone, text));
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
  if (cell.childElementCount > 0) return;
  const { address } = server;
  const go = (state: ServerAction["state"]): void => {
    const isDown = state === "down";
    const question = {
      title: isDown ? "Take the server out?" : "Bring the server back?",
      text: isDown
        ? `${foreign(address)} of ${foreign(upstream)} gets no new connections. Those it has go on.`
        : `${foreign(address)} of ${foreign(upstream)} gets new connections again, unless its checks find it down.`,
      action: isDown ? "Take out" : "Bring back",
      isHarmful: isDown,
    };
    void act(context, question, "servers", { upstream, address, state } satisfies ServerAction);
  };
  const of = `${foreign(address)} of ${foreign(upstream)}`;
  cell.append(
    button("Take out", { class: "small", "aria-label": `Take out ${of}` }, () => go("down")),
    button("Bring back", { class: "small", "aria-label": `Bring back ${of}` }, () => go("up")),
  );
}

function columnsOf(context: Context): readonly Column<ServerRow>[] {
  return [
    textColumn("Upstream", ({ upstream }) => foreign(upstream), "name"),
    textColumn("Server", ({ server }) => foreign(server.address), "name mono"),
    { title: "Health", show: ({ server }, cell) => showBadge(cell, TONES[server.health], HEALTH[server.health]) },
    textColumn("For", since, "number"),
    textColumn("Open", ({ server }) => count(server.connections), "number"),
    textColumn("Check", ({ server }) => (server.duration === undefined ? "–" : duration(server.duration)), "number"),
    { title: "Certificate", kind: "fit", show: showCertificate },
    { title: "Last error", kind: "wide", show: showError },
    { title: "", kind: "buttons", show: (row, cell) => showActions(context, row, cell) },
  ];
}

const WORST: Readonly<Record<ServerStatus["health"], number>> = { down: 0, unknown: 1, up: 1 };

export function createUpstreamsView(context: Context): (upstreams: readonly UpstreamStatus[], now: number) => void {
  const key = ({ upstream, server }: ServerRow): string => JSON.stringify([upstream, server.address]);
  const empty = "No upstreams: every route leads to an address of its own.";
  const table = new LiveTable("Upstream servers", columnsOf(context), key, empty);
  const note = html("p", { class: "note" });
  byId("upstreams").append(note, table.element);
  return (upstreams, now) => {
    const rows = upstreams.flatMap(({ name, servers }) => servers.map((server) => ({ upstream: name, server, now })));
    const down = rows.filter(({ server }) => server.health === "down").length;
    setText(
      note,
      rows.length === 0 ? "" : `${rows.length - down} of ${rows.length} up; those that are down come first.`,
    );
    table.update(rows.sort((a, b) => WORST[a.server.health] - WORST[b.server.health]));
  };
}
