/**
 * The state at the top: verdict, findings, the proxy's facts, and the figures of now.
 *
 * Owns: those parts of the document, the icon and the title of the tab. Rates are taken between two answers.
 */

import type { FindingAnswer, StatusAnswer } from "../src/admin/api.ts";
import type { UpstreamStatus } from "../src/health/status.ts";
import { badge, byId, html, prose, setText } from "./element.ts";
import { byteRate, clock, count, duration, foreign, moment, sentence, short, size } from "./text.ts";
import { uptimeOf, type Verdict, verdictOf } from "./verdict.ts";

/** Answers between which a rate is taken: about eight seconds. */
const KEPT = 5;

export class StatusView {
  readonly #recent: StatusAnswer[] = [];
  readonly #tiles = new Map<string, readonly [value: HTMLElement, note: HTMLElement]>();
  #findings = "";
  #facts = "";

  /** Shows an answer. */
  show(status: StatusAnswer, upstreams: readonly UpstreamStatus[] | undefined): void {
    if (this.#recent[0]?.startedAt !== status.startedAt) this.#recent.length = 0;
    this.#recent.push(status);
    if (this.#recent.length > KEPT) this.#recent.shift();
    this.showVerdict(verdictOf(status, upstreams), status.findings);
    setText(byId("updated"), `as of ${clock(status.now)}`);
    this.#showFacts(status);
    this.#showTiles(status);
  }

  showVerdict({ tone, headline, summary }: Verdict, findings?: readonly FindingAnswer[]): void {
    const section = byId("verdict");
    if (section.className !== `verdict ${tone}`) section.className = `verdict ${tone}`;
    setText(byId("headline"), headline);
    setText(byId("summary"), summary);
    if (document.title !== `${headline} · certless`) document.title = `${headline} · certless`;
    if (findings !== undefined) this.#showFindings(findings);
  }

  #showFindings(findings: readonly FindingAnswer[]): void {
    const written = JSON.stringify(findings);
    if (written === this.#findings) return;
    this.#findings = written;
    const items = findings.map(({ level, what, remedy }) =>
      html(
        "li",
        {},
        badge(level === "trouble" ? "bad" : "warn", level),
        html(
          "div",
          {},
          html("p", { class: "what" }, foreign(sentence(what))),
          html("p", { class: "remedy" }, ...prose(foreign(sentence(remedy)))),
        ),
      ),
    );
    byId("findings").replaceChildren(...items);
  }

  #showFacts(status: StatusAnswer): void {
    const { configuration, workers } = status;
    const last = configuration.lastReload;
    const facts: (readonly [name: string, value: string])[] = [
      ["Version", `certless ${status.version}`],
      ["Adapter", `${status.adapter} on ${status.runtime}`],
      ["Workers", count(workers.length)],
      ["Since", `${moment(status.startedAt, status.now)}, ${uptimeOf(status)}`],
      ["Configuration", configuration.path === undefined ? "given by a program" : foreign(configuration.path)],
      [
        "Last reload",
        last === undefined ? "none" : `${last.ok ? "done" : "refused"} at ${moment(last.at, status.now)}`,
      ],
      ["Listeners", status.listeners.map(({ address, protocol }) => `${foreign(address)} ${protocol}`).join(", ")],
    ];
    const written = JSON.stringify(facts);
    if (written === this.#facts) return;
    this.#facts = written;
    byId("facts").replaceChildren(
      ...facts.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))),
    );
  }

  #rate(counterOf: (status: StatusAnswer) => number): number | undefined {
    const [first, last] = [this.#recent[0]!, this.#recent.at(-1)!];
    if (last.now <= first.now) return undefined;
    return (Math.max(0, counterOf(last) - counterOf(first)) * 1000) / (last.now - first.now);
  }

  #showTiles(status: StatusAnswer): void {
    const { connections, bytes, descriptors, memory, workers } = status;
    const [sent, received] = [this.#rate((one) => one.bytes.sent), this.#rate((one) => one.bytes.received)];
    const accepted = this.#rate((one) => one.connections.accepted);
    const turned = status.endings.filter(({ isRejection }) => isRejection);
    const lag = Math.max(0, ...workers.map((worker) => worker.lag));
    this.#tile("Open connections", count(connections.open), `of ${count(connections.limit)}`);
    this.#tile("New", accepted === undefined ? "–" : `${short(accepted)}/s`, `${count(connections.accepted)} in all`);
    this.#tile("To clients", sent === undefined ? "–" : byteRate(sent), `${size(bytes.sent)} in all`);
    this.#tile("From clients", received === undefined ? "–" : byteRate(received), `${size(bytes.received)} in all`);
    this.#tile("Turned away", count(turned.reduce((sum, { lastHour }) => sum + lastHour, 0)), "in the last hour");
    this.#tile("Memory", memory.resident > 0 ? size(memory.resident) : "–", "resident");
    const limit = descriptors.limit === undefined ? "" : `of ${count(descriptors.limit)}`;
    this.#tile("Descriptors", descriptors.open === undefined ? "–" : count(descriptors.open), limit);
    this.#tile("Worker lag", duration(lag), "at worst, just now");
  }

  #tile(name: string, value: string, note: string): void {
    let parts = this.#tiles.get(name);
    if (parts === undefined) {
      parts = [html("dd"), html("dd", { class: "note" })];
      this.#tiles.set(name, parts);
      byId("tiles").append(html("div", {}, html("dt", {}, name), ...parts));
    }
    setText(parts[0], value);
    setText(parts[1], note);
  }
}
