/**
 * Elements of the document, made from data.
 *
 * Owns: the only ways in which the page makes nodes. Texts become text nodes; no markup is ever parsed, so nothing
 * that came off the wire can be more than text.
 */

/** Attributes; `false` and undefined are left out, `true` is the empty value. Event handlers are added by hand. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
export type Child = Node | string;

const SVG = "http://www.w3.org/2000/svg";

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

export function setAttribute(element: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

export function html<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[T] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<T extends keyof SVGElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[T] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Our own sentences, in which `this` is code. */
export function prose(text: string): Child[] {
  return text.split("`").map((part, at) => (at % 2 === 1 ? html("code", {}, part) : part));
}

/** A button that does something on the page. */
export function button(label: string, attributes: Attributes, press: () => void): HTMLButtonElement {
  const made = html("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", press);
  return made;
}

/** Sets a text only where it differs, so that selections stay and nothing is read out twice. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The page's own element of this id. @throws {Error} where index.html has none. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`Cannot find #${id}: index.html does not have it`);
  return found;
}

/** A state in a word, with a dot of its colour and shape. */
export function badge(tone: Tone, text: string): HTMLElement {
  return html("span", { class: `badge ${tone}` }, text);
}

export type Tone = "good" | "warn" | "bad" | "quiet";
