/**
 * The latest connections that have ended.
 */

import type { LogAnswer, LogLine } from "../src/admin/api.ts";
import { REASONS } from "../src/reason.ts";
import type { Context } from "./context.ts";
import { badge, byId } from "./element.ts";
import { Filters } from "./filters.ts";
import { type Column, LiveTable, textColumn } from "./live_rows.ts";
import { duration, foreign, moment, size } from "./text.ts";

const LINES = 100;
const ENDED_WELL: readonly string[] = ["ok", "redirected"];

function columnsOf(now: () => number): readonly Column<LogLine>[] {
  return [
    textColumn("Ended", (line) => moment(line.acceptedAt + line.duration, now()), "time"),
    {
      title: "Reason",
      kind: "fit",
      show: ({ reason }, cell) => {
        if (cell.childElementCount > 0) return;
        cell.append(badge(ENDED_WELL.includes(reason) ? "good" : "warn", reason));
        cell.title = REASONS[reason] ?? "";
      },
    },
    textColumn("Name", ({ serverName }) => (serverName === undefined ? "–" : foreign(serverName)), "name cut mono"),
    textColumn("Client", ({ client }) => foreign(client), "cut mono"),
    textColumn("Route", ({ route }) => (route === undefined ? "–" : foreign(route)), "cut mono"),
    textColumn("Servers tried", ({ attempts }) => foreign(attempts.join(", ")) || "–", "cut mono"),
    textColumn("Lasted", (line) => duration(line.duration), "number short"),
    textColumn("From client", ({ received }) => size(received), "number short"),
    textColumn("To client", ({ sent }) => size(sent), "number short"),
    textColumn("Detail", ({ detail }) => foreign(detail) || "–", "cut wide"),
  ];
}

export class LogView {
  readonly #context: Context;
  readonly #filters: Filters;
  readonly #table: LiveTable<LogLine>;
  #now = 0;
  #asked = 0;

  constructor(context: Context) {
    this.#context = context;
    const fields = [
      { name: "name", label: "Name", hint: "any" },
      { name: "reason", label: "Reason", choices: Object.keys(REASONS) },
    ];
    this.#filters = new Filters("log", "Filter the log", fields, () => {
      this.refresh(this.#now).catch(() => {});
    });
    const columns = columnsOf(() => this.#now);
    this.#table = new LiveTable("Ended connections", columns, ({ id, acceptedAt }) => `${id} ${acceptedAt}`, "None.");
    this.#table.element.classList.add("tall");
    byId("log").append(this.#filters.element, this.#table.element);
  }

  showName(name: string): void {
    this.#filters.clear();
    this.#filters.set("name", name);
    this.refresh(this.#now).catch(() => {});
  }

  async refresh(now: number): Promise<void> {
    this.#now = now;
    const asked = ++this.#asked;
    const { lines } = await this.#context.client.get<LogAnswer>("log", { ...this.#filters.values, limit: LINES });
    // A slow answer to an older question would undo the filter.
    if (asked === this.#asked) this.#table.update(lines);
  }
}
