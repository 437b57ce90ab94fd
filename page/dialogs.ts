/**
 * Questions that must be answered before anything is done: are you sure, and the token.
 *
 * Owns: the page's one dialog. The browser keeps the focus in it and gives it back.
 */

import { button, byId, html } from "./element.ts";

export interface Confirmation {
  readonly title: string;
  readonly text: string;
  /** The word on the button that does it. */
  readonly action: string;
  /** It ends what somebody uses. */
  readonly isHarmful: boolean;
}

const dialog = (): HTMLDialogElement => byId("dialog") as HTMLDialogElement;

function open(title: string, ...content: readonly Node[]): void {
  dialog().replaceChildren(html("h2", { id: "dialog-title" }, title), ...content);
  dialog().returnValue = "";
  if (!dialog().open) dialog().showModal();
}

function closed(): Promise<string> {
  return new Promise((resolve) => {
    dialog().addEventListener("close", () => resolve(dialog().returnValue), { once: true });
  });
}

/** Asks whether to do it; Escape and the first button mean no. */
export async function confirmed({ title, text, action, isHarmful }: Confirmation): Promise<boolean> {
  if (dialog().open) return false;
  const no = button("Cancel", {}, () => dialog().close("no"));
  const yes = button(action, { class: isHarmful ? "harmful" : "primary" }, () => dialog().close("yes"));
  open(title, html("p", {}, text), html("div", { class: "buttons" }, no, yes));
  return (await closed()) === "yes";
}

/** Asks for the token; undefined: not now. @param wasWrong one was given already. */
export async function askToken(wasWrong: boolean): Promise<string | undefined> {
  if (dialog().open) return undefined;
  const input = html("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const form = html(
    "form",
    { autocomplete: "off" },
    html("p", {}, wasWrong ? "The token was not accepted." : "This proxy answers only to who has its token."),
    html("label", { for: "token" }, "Token: the one that admin.token of the configuration names"),
    input,
    html("p", { class: "note" }, "Kept for this tab only, until it is closed."),
    html(
      "div",
      { class: "buttons" },
      button("Not now", {}, () => dialog().close("no")),
      html("button", { class: "primary", type: "submit" }, "Unlock"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog().close("yes");
  });
  open("Token needed", form);
  input.focus();
  return (await closed()) === "yes" && input.value !== "" ? input.value.trim() : undefined;
}
