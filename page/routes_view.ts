/**
 * The routes with their traffic, and where a name would go.
 */

import type { ExplainAnswer, ListenerExplanation, RouteAnswer, RoutesAnswer } from "../src/admin/api.ts";
import { type Context, reasonOf } from "./context.ts";
import { type Attributes, badge, byId, html } from "./element.ts";
import { Filters } from "./filters.ts";
import { type Column, textColumn } from "./live_rows.ts";
import { count, foreign, size } from "./text.ts";
import { WindowedTable } from "./windowed_table.ts";

const COLUMNS: readonly Column<RouteAnswer>[] = [
  textColumn("Route", ({ route }) => foreign(route), "name cut mono"),
  textColumn("To", ({ to }) => foreign(to), "cut mono"),
  textColumn("Listener", ({ listener }) => (listener === undefined ? "all" : foreign(listener)), "cut listener"),
  textColumn("Line", ({ line }) => (line === 0 ? "–" : String(line)), "number place"),
  textColumn("Connections", ({ connections }) => count(connections), "number"),
  textColumn("Bytes", ({ sent, received }) => size(sent + received), "number short"),
];

/** The list. @returns what asks for it anew. */
export function createRoutesView({ client }: Context): () => Promise<void> {
  const fields = [{ name: "query", label: "Search", hint: "part of a route or of where it leads" }];
  const filters = new Filters("routes", "Search routes", fields, () => {
    table.restart().catch(() => {});
  });
  const table = new WindowedTable<RouteAnswer>({
    label: "Routes",
    noun: "route",
    columns: COLUMNS,
    keyOf: ({ route, listener }) => JSON.stringify([listener, route]),
    fetch: async (offset, limit) => {
      const answer = await client.get<RoutesAnswer>("routes", { ...filters.values, offset, limit });
      return { total: answer.total, items: answer.routes };
    },
  });
  byId("routes").append(filters.element, table.countLine, table.element);
  return () => table.refresh();
}

function explained({ listener, protocol, isForwarded, lines }: ListenerExplanation): HTMLElement {
  const verdict = badge(isForwarded ? "good" : "bad", isForwarded ? "forwarded" : "turned away");
  const head = html("h3", {}, html("span", { class: "mono" }, `${foreign(listener)} ${protocol}`), " ", verdict);
  const rules = html("ol", { class: "why" }, ...lines.map((line) => html("li", {}, foreign(line))));
  return html("li", {}, head, rules);
}

export function createRouteTester({ client }: Context): void {
  const answer = html("div", { class: "answer", role: "status" });
  const inputs = new Map<string, HTMLInputElement>();
  const input = (name: string, label: string, hint: string, more: Attributes): HTMLElement => {
    const attributes = { id: `tester-${name}`, placeholder: hint, autocomplete: "off", spellcheck: "false" };
    const field = html("input", { ...attributes, ...more });
    inputs.set(name, field);
    return html("div", { class: "field" }, html("label", { for: `tester-${name}` }, label), field);
  };
  const form = html(
    "form",
    { class: "filters", "aria-label": "Test a name" },
    input("name", "Server name", "shop.example.com", { required: true }),
    input("port", "Port (if not all)", "443", { inputmode: "numeric", pattern: "[0-9]{1,5}" }),
    input("client", "Client (if it matters)", "203.0.113.9", {}),
    html("button", { type: "submit", class: "primary" }, "Ask"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = Object.fromEntries([...inputs].map(([name, { value }]) => [name, value.trim()]));
    client.get<ExplainAnswer>("route", query).then(
      ({ listeners }) => {
        const items = listeners.map(explained);
        answer.replaceChildren(items.length > 0 ? html("ul", {}, ...items) : "No listener has this port.");
      },
      (error: unknown) => answer.replaceChildren(html("p", { class: "error" }, reasonOf(error))),
    );
  });
  const note = "As certless route prints it: which rule holds the name on each listener, and why.";
  byId("tester").append(html("p", { class: "note" }, note), form, answer);
}
