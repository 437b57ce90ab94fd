/**
 * Server names by traffic; one of them leads to its connections.
 */

import type { NamesAnswer, NameTraffic } from "../src/admin/api.ts";
import type { Context } from "./context.ts";
import { button, byId, html, setText } from "./element.ts";
import { type Column, LiveTable, textColumn } from "./live_rows.ts";
import { count, foreign, size } from "./text.ts";

interface NameRow extends NameTraffic {
  /** Of the busiest one's bytes, 0 to 1. */
  readonly share: number;
}

function showName(context: Context, { name }: NameRow, cell: HTMLElement): void {
  if (cell.childElementCount > 0) return;
  const text = name === "" ? "(no name)" : foreign(name);
  const press = (): void => context.showName(name);
  cell.append(button(text, { class: "link", title: `Connections of ${text}` }, press));
}

function showShare({ share, sent, received }: NameRow, cell: HTMLElement): void {
  if (cell.childElementCount === 0) cell.append(html("span", { class: "share" }, html("i")), html("span"));
  (cell.firstElementChild!.firstElementChild as HTMLElement).style.width = `${Math.max(1, share * 100)}%`;
  setText(cell.lastElementChild!, size(sent + received));
}

export function createNamesView(context: Context): (answer: NamesAnswer) => void {
  const columns: readonly Column<NameRow>[] = [
    { title: "Name", kind: "name cut", show: (row, cell) => showName(context, row, cell) },
    { title: "Bytes", kind: "bars", show: showShare },
    textColumn("To clients", ({ sent }) => size(sent), "number"),
    textColumn("Connections", ({ connections }) => count(connections), "number"),
    textColumn("Turned away", ({ rejected }) => count(rejected), "number"),
  ];
  const table = new LiveTable("Names by traffic", columns, ({ name }) => name, "No connection has ended yet.");
  const note = html("p", { class: "note" });
  byId("names").append(note, table.element);
  return ({ names, others }) => {
    const most = Math.max(1, ...names.map(({ sent, received }) => sent + received));
    table.update(names.map((name) => ({ ...name, share: (name.sent + name.received) / most })));
    const rest = `${count(others.connections)} connections, ${size(others.sent + others.received)}`;
    setText(note, others.connections === 0 ? "Since the start." : `Since the start. Not counted by name: ${rest}.`);
  };
}
