/**
 * Live connections: all of them, through a window, with filters, and closing one.
 */

import type { CloseAction, ConnectionAnswer, ConnectionsAnswer, ListenerAnswer } from "../src/admin/api.ts";
import { act, type Context } from "./context.ts";
import { button, byId, html } from "./element.ts";
import { Filters } from "./filters.ts";
import { type Column, textColumn } from "./live_rows.ts";
import { duration, foreign, size } from "./text.ts";
import { WindowedTable } from "./windowed_table.ts";

const FIELDS = [
  { name: "name", label: "Name", hint: "any" },
  { name: "client", label: "Client", hint: "any" },
  { name: "route", label: "Route", hint: "any" },
  { name: "upstream", label: "Upstream", choices: [] },
  { name: "server", label: "Server", hint: "any" },
  { name: "listener", label: "Listener", choices: [] },
] as const;

const optional = (text: string | undefined): string => (text === undefined ? "–" : foreign(text));

function closeButton(context: Context, { id, client, serverName }: ConnectionAnswer, cell: HTMLElement): void {
  if (cell.childElementCount > 0) return;
  const whose = `${foreign(client)}${serverName === undefined ? "" : ` to ${foreign(serverName)}`}`;
  const question = {
    title: "Close this connection?",
    text: `${whose}: both sides see it end at once. A client may well come back.`,
    action: "Close it",
    isHarmful: true,
  };
  const press = (): void => void act(context, question, "close", { id } satisfies CloseAction);
  cell.append(button("Close…", { class: "small", "aria-label": `Close the connection of ${whose}` }, press));
}

export class ConnectionsView {
  readonly #filters: Filters;
  readonly #table: WindowedTable<ConnectionAnswer>;
  readonly #hold = html("input", { type: "checkbox", id: "hold" });
  #now = 0;

  constructor(context: Context) {
    this.#filters = new Filters("connections", "Filter connections", FIELDS, () => {
      this.#table.restart().catch(() => {});
    });
    this.#table = new WindowedTable({
      label: "Live connections",
      noun: "connection",
      columns: this.#columns(context),
      keyOf: ({ id }) => String(id),
      fetch: async (offset, limit) => {
        const query = { ...this.#filters.values, offset, limit };
        const answer = await context.client.get<ConnectionsAnswer>("connections", query);
        return { total: answer.total, items: answer.connections };
      },
    });
    const hold = html("label", { for: "hold", class: "check" }, this.#hold, "Hold still");
    const line = html("div", { class: "line" }, this.#table.countLine, hold);
    byId("connections").append(this.#filters.element, line, this.#table.element);
  }

  setChoices(listeners: readonly ListenerAnswer[], upstreams: readonly string[]): void {
    this.#filters.setChoices(
      "listener",
      listeners.map(({ address }) => address),
    );
    this.#filters.setChoices("upstream", upstreams);
  }

  showName(name: string): void {
    this.#filters.clear();
    this.#filters.set("name", name);
    this.#table.restart().catch(() => {});
  }

  /** @param now the proxy's time. */
  async refresh(now: number): Promise<void> {
    this.#now = now;
    if (!this.#hold.checked) await this.#table.refresh();
  }

  #columns(context: Context): readonly Column<ConnectionAnswer>[] {
    const age = ({ acceptedAt }: ConnectionAnswer): string => duration(Math.max(0, this.#now - acceptedAt));
    return [
      textColumn("Name", ({ serverName }) => optional(serverName), "name cut mono"),
      textColumn("Client", ({ client }) => foreign(client), "cut mono"),
      textColumn("Listener", ({ listener }) => foreign(listener), "cut mono listener"),
      textColumn("Route", ({ route }) => optional(route), "cut mono"),
      textColumn("Server", ({ upstream, server }) => toText(upstream, server), "cut mono"),
      textColumn("State", ({ state }) => state, "state"),
      textColumn("Age", age, "number short"),
      textColumn("From client", ({ received }) => size(received), "number short"),
      textColumn("To client", ({ sent }) => size(sent), "number short"),
      { title: "", kind: "buttons", show: (one, cell) => closeButton(context, one, cell) },
    ];
  }
}

function toText(upstream: string | undefined, server: string | undefined): string {
  if (server === undefined) return optional(upstream);
  return upstream === undefined ? foreign(server) : `${foreign(server)} (${foreign(upstream)})`;
}
