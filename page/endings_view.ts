/**
 * Why connections ended that did not end well: how often, what it means, what to do, and the last of each.
 */

import type { EndingAnswer, LogAnswer, LogLine } from "../src/admin/api.ts";
import { type Context, reasonOf } from "./context.ts";
import { byId, html, prose, setText } from "./element.ts";
import { clock, count, foreign } from "./text.ts";

const EXAMPLES = 5;

interface Entry {
  readonly element: HTMLDetailsElement;
  readonly hour: HTMLElement;
  readonly total: HTMLElement;
  readonly bar: HTMLElement;
}

function exampleOf(line: LogLine): HTMLElement {
  const name = line.serverName === undefined ? "no name" : foreign(line.serverName);
  const detail = line.detail === "" ? "" : foreign(line.detail);
  return html(
    "li",
    {},
    html("time", {}, clock(line.acceptedAt + line.duration)),
    html("span", { class: "mono" }, foreign(line.client)),
    html("b", { class: "mono" }, name),
    html("span", { class: "detail" }, detail),
  );
}

async function showExamples(context: Context, reason: string, list: HTMLElement): Promise<void> {
  try {
    const { lines } = await context.client.get<LogAnswer>("log", { reason, limit: EXAMPLES });
    const items = lines.slice(0, EXAMPLES).map(exampleOf);
    list.replaceChildren(...(items.length > 0 ? items : [html("li", {}, "None in the recent log.")]));
  } catch (error) {
    list.replaceChildren(html("li", {}, reasonOf(error)));
  }
}

function makeEntry(context: Context, ending: EndingAnswer): Entry {
  const [hour, total, bar] = [html("b", { class: "number" }), html("span", { class: "number total" }), html("i")];
  const examples = html("ul", { class: "examples" });
  const code = html("code", {}, ending.reason);
  const kind = html("span", { class: "kind" }, ending.isRejection ? "turned away" : "ended");
  const summary = html("summary", {}, code, kind, hour, total, html("span", { class: "share" }, bar));
  const remedy = ending.remedy ?? "Nothing has to be done.";
  const element = html(
    "details",
    {},
    summary,
    html("p", {}, ending.meaning),
    html("p", { class: "remedy" }, ...prose(remedy)),
    html("h3", {}, "The last of them"),
    examples,
  );
  element.addEventListener("toggle", () => {
    if (element.open) void showExamples(context, ending.reason, examples);
  });
  return { element, hour, total, bar };
}

export function createEndingsView(context: Context): (endings: readonly EndingAnswer[]) => void {
  const entries = new Map<string, Entry>();
  const note = html("p", { class: "note" });
  const titles = ["", "", "last hour", "total"].map((title) => html("span", {}, title));
  const head = html("p", { class: "columns", "aria-hidden": "true" }, ...titles);
  const list = html("div", { class: "endings" });
  byId("endings").append(note, head, list);
  return (endings) => {
    const well = endings.find(({ reason }) => reason === "ok");
    const others = endings.filter(({ reason }) => reason !== "ok");
    const sorted = others.toSorted((a, b) => b.lastHour - a.lastHour || b.count - a.count);
    setText(note, `${count(well?.lastHour ?? 0)} ended well in the last hour. Open a line to see what it means.`);
    head.hidden = sorted.length === 0;
    const most = Math.max(1, ...sorted.map(({ lastHour }) => lastHour));
    sorted.forEach((ending, index) => {
      const entry = entries.get(ending.reason) ?? makeEntry(context, ending);
      entries.set(ending.reason, entry);
      setText(entry.hour, count(ending.lastHour));
      setText(entry.total, count(ending.count));
      entry.bar.style.width = `${(ending.lastHour / most) * 100}%`;
      if (list.children[index] !== entry.element) list.insertBefore(entry.element, list.children[index] ?? null);
    });
  };
}
