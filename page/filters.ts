/**
 * Fields that narrow a list down.
 *
 * Owns: their labels and values, and when a change is told: after a rest in typing.
 */

import { type Child, html } from "./element.ts";
import { foreign } from "./text.ts";

const REST = 250;

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Given, it is a choice among these; the empty one means any. */
  readonly choices?: readonly string[];
}

export class Filters {
  readonly element: HTMLFormElement;
  readonly #inputs = new Map<string, HTMLInputElement | HTMLSelectElement>();

  /** @param id makes the fields' own ids. */
  constructor(id: string, label: string, fields: readonly Field[], changed: () => void) {
    this.element = html("form", { class: "filters", "aria-label": label, autocomplete: "off" });
    for (const field of fields) this.element.append(this.#make(id, field));
    let timer = 0;
    this.element.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(changed, REST);
    });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(timer);
      changed();
    });
  }

  get values(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#inputs].map(([name, input]) => [name, input.value.trim()]));
  }

  set(name: string, value: string): void {
    const input = this.#inputs.get(name);
    if (input !== undefined) input.value = value;
  }

  clear(): void {
    for (const input of this.#inputs.values()) input.value = "";
  }

  /** Offers these, and keeps what is chosen. */
  setChoices(name: string, choices: readonly string[]): void {
    const select = this.#inputs.get(name);
    if (!(select instanceof HTMLSelectElement)) return;
    const offered = [...select.options].slice(1).map(({ value }) => value);
    if (offered.join("\n") === choices.join("\n")) return;
    const chosen = select.value;
    select.replaceChildren(...optionsOf(choices));
    select.value = choices.includes(chosen) ? chosen : "";
  }

  #make(id: string, { name, label, hint, choices }: Field): HTMLElement {
    const attributes = { id: `${id}-${name}` };
    const input =
      choices === undefined
        ? html("input", { ...attributes, type: "search", placeholder: hint, spellcheck: "false" })
        : html("select", attributes, ...optionsOf(choices));
    this.#inputs.set(name, input);
    return html("div", { class: "field" }, html("label", { for: `${id}-${name}` }, label), input);
  }
}

function optionsOf(choices: readonly string[]): Child[] {
  return ["", ...choices].map((choice) => html("option", { value: choice }, choice === "" ? "any" : foreign(choice)));
}
