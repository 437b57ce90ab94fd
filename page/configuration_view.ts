/**
 * The configuration: how the last reload went, with every fault at its place, and the text in force.
 */

import type { ConfigurationAnswer, ConfigurationState, ReloadOutcome } from "../src/admin/api.ts";
import type { ConfigError } from "../src/config/fault.ts";
import { type Context, reasonOf, say } from "./context.ts";
import { confirmed } from "./dialogs.ts";
import { badge, byId, html, setText } from "./element.ts";
import { duration, foreign, moment, plural } from "./text.ts";

function list(title: string, texts: readonly string[]): HTMLElement[] {
  if (texts.length === 0) return [];
  return [html("h3", {}, title), html("ul", { class: "plain" }, ...texts.map((text) => html("li", {}, foreign(text))))];
}

function faultOf({ path, line, column, message }: ConfigError): HTMLElement {
  const place = line === 0 ? path : `${path}:${line}:${column}`;
  const where = place === "" ? [] : [html("code", {}, foreign(place)), " "];
  return html("li", {}, ...where, foreign(message));
}

function outcomeOf(outcome: ReloadOutcome, now: number): HTMLElement[] {
  const { ok, at, errors, reason } = outcome;
  const took = `at ${moment(at, now)}, ${ok ? "in force after" : "after"} ${duration(outcome.duration)}`;
  const head = html("p", {}, "Last reload ", badge(ok ? "good" : "bad", ok ? "done" : "refused"), ` ${took}`);
  const kept = ok ? [] : [html("p", { class: "remedy" }, "The configuration before it stays in force.")];
  const faults =
    errors.length === 0
      ? []
      : [html("h3", {}, plural(errors.length, "fault")), html("ul", { class: "plain" }, ...errors.map(faultOf))];
  const why = reason === "" ? [] : [html("p", { class: "error" }, foreign(reason))];
  return [head, ...kept, ...why, ...faults, ...list("Warnings", outcome.warnings), ...list("Changes", outcome.changes)];
}

export function createConfigurationView({ client }: Context): (state: ConfigurationState, now: number) => void {
  const outcome = html("div", { class: "outcome" });
  const text = html("pre", { tabindex: 0, "aria-label": "Configuration in force" });
  const details = html("details", {}, html("summary", {}, "In force, with every default"), text);
  let written = "";
  details.addEventListener("toggle", () => {
    if (!details.open) return;
    client.get<ConfigurationAnswer>("configuration").then(
      (answer) => setText(text, answer.text),
      (error: unknown) => setText(text, reasonOf(error)),
    );
  });
  byId("configuration").append(outcome, details);
  return (state, now) => {
    if (JSON.stringify(state) === written) return;
    written = JSON.stringify(state);
    const path = state.path === undefined ? "Given by a program" : foreign(state.path);
    const times = state.reloads === 0 ? "not reloaded since the start" : `reloaded ${plural(state.reloads, "time")}`;
    const facts = html("p", {}, html("code", {}, path), `, read ${moment(state.loadedAt, now)}, ${times}.`);
    outcome.replaceChildren(facts, ...(state.lastReload === undefined ? [] : outcomeOf(state.lastReload, now)));
    details.open = false;
  };
}

/** Asks, reloads, and says how it went. */
export async function reload({ client, hurry }: Context): Promise<void> {
  const question = {
    title: "Reload the configuration?",
    text: "The file is read and checked whole. If it has faults, what is in force stays. Open connections go on as their routes say.",
    action: "Reload",
    isHarmful: false,
  };
  if (!(await confirmed(question))) return;
  try {
    const answer = await client.post<ReloadOutcome>("reload", {});
    const changes = answer.changes.length === 0 ? "nothing is different" : plural(answer.changes.length, "change");
    if (answer.ok) say(`Reloaded in ${duration(answer.duration)}: ${changes}.`, "good");
    else say(`Reload refused, the old configuration stays: see ${plural(answer.errors.length, "fault")} below.`, "bad");
  } catch (error) {
    say(reasonOf(error), "bad");
  }
  hurry();
}
