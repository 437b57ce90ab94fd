/**
 * The page at the admin address: puts its parts together and keeps them up to date.
 *
 * Owns: what is asked and how often, and what is said while nobody answers.
 */

import type { HistoryAnswer, NamesAnswer, StatusAnswer, UpstreamsAnswer } from "../src/admin/api.ts";
import type { UpstreamStatus } from "../src/health/status.ts";
import { AdminClient, Refusal } from "./admin_client.ts";
import { createConfigurationView, reload } from "./configuration_view.ts";
import { ConnectionsView } from "./connections_view.ts";
import { act, type Context, reasonOf } from "./context.ts";
import { askToken } from "./dialogs.ts";
import { button, byId, html, setText } from "./element.ts";
import { createEndingsView } from "./endings_view.ts";
import { createHistoryView } from "./history_view.ts";
import { LogView } from "./log_view.ts";
import { createNamesView } from "./names_view.ts";
import { Poll } from "./poll.ts";
import { createRoutesView, createRouteTester } from "./routes_view.ts";
import { StatusView } from "./status_view.ts";
import { createThemeButton } from "./theme.ts";
import { createUpstreamsView } from "./upstreams_view.ts";
import { unreachable } from "./verdict.ts";

const EVERY = 2_000;
const NAMES = 12;
/** A chart has nothing new more often than this. */
const HISTORY = 5_000;

const DRAIN = {
  title: "Drain this proxy?",
  text: "It takes no new connections, lets the open ones finish for timeouts.drain, and ends. This page ends with it.",
  action: "Drain",
  isHarmful: true,
};

class Page {
  readonly #client = new AdminClient();
  readonly #poll = new Poll();
  readonly #context: Context = {
    client: this.#client,
    hurry: () => this.#poll.hurry(),
    showName: (name) => this.#showName(name),
  };
  readonly #status = new StatusView();
  readonly #showUpstreams = createUpstreamsView(this.#context);
  readonly #showEndings = createEndingsView(this.#context);
  readonly #showNames = createNamesView(this.#context);
  readonly #showHistory = createHistoryView();
  readonly #connections = new ConnectionsView(this.#context);
  readonly #log = new LogView(this.#context);
  readonly #showConfiguration = createConfigurationView(this.#context);
  readonly #refreshRoutes = createRoutesView(this.#context);
  readonly #unlockButton = button("Unlock…", { class: "primary", hidden: true }, () => void this.#unlock());
  #upstreams: readonly UpstreamStatus[] | undefined;
  #lastAnswer: number | undefined;
  #lostSince: number | undefined;
  /** The proxy's clock minus the browser's. */
  #ahead = 0;

  constructor() {
    createRouteTester(this.#context);
    byId("actions").append(
      this.#unlockButton,
      createThemeButton(),
      button("Reload…", {}, () => void reload(this.#context)),
      button("Drain…", {}, () => void act(this.#context, DRAIN, "drain", {})),
    );
    this.#client.onLocked = () => this.#locked();
  }

  start(): void {
    const part = byId;
    const add = (every: number, at: HTMLElement, ask: () => Promise<void>): void =>
      this.#poll.add({ every, part: at, ask: () => this.#askFor(at, ask) });
    this.#poll.add({ every: EVERY, part: undefined, ask: () => this.#askStatus() });
    add(HISTORY, part("history"), async () => this.#showHistory(await this.#client.get<HistoryAnswer>("history")));
    add(EVERY, part("names"), async () => {
      this.#showNames(await this.#client.get<NamesAnswer>("names", { limit: NAMES }));
    });
    add(EVERY, part("connections"), () => this.#connections.refresh(this.#now()));
    add(EVERY, part("log"), () => this.#log.refresh(this.#now()));
    add(EVERY, part("routes"), () => this.#refreshRoutes());
    this.#poll.start();
  }

  #now(): number {
    return Date.now() + this.#ahead;
  }

  async #askStatus(): Promise<void> {
    try {
      const [status, { upstreams }] = await Promise.all([
        this.#client.get<StatusAnswer>("status"),
        this.#client.get<UpstreamsAnswer>("upstreams"),
      ]);
      this.#upstreams = upstreams;
      this.#answered(status);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** One part's question: what is refused is told there, and what this proxy does not have is not asked again. */
  async #askFor(part: HTMLElement, ask: () => Promise<void>): Promise<void> {
    if (part.dataset.missing !== undefined || !this.#unlockButton.hidden) return;
    try {
      await ask();
      this.#tell(part, "");
    } catch (error) {
      // Who does not answer at all is told of at the top.
      if (!(error instanceof Refusal) || error.status === 401) return;
      if (error.status === 501) part.dataset.missing = "";
      this.#tell(part, reasonOf(error));
    }
  }

  #tell(part: HTMLElement, text: string): void {
    const told = part.querySelector(":scope > .told") ?? html("p", { class: "told" });
    if (text === "") {
      told.remove();
      return;
    }
    setText(told, text);
    part.querySelector("h2")?.after(told);
  }

  #answered(status: StatusAnswer): void {
    this.#lastAnswer = Date.now();
    this.#ahead = status.now - this.#lastAnswer;
    if (this.#lostSince !== undefined) this.#recovered();
    this.#status.show(status, this.#upstreams);
    this.#showUpstreams(this.#upstreams ?? [], status.now);
    this.#showEndings(status.endings);
    this.#showConfiguration(status.configuration, status.now);
    this.#connections.setChoices(
      status.listeners,
      (this.#upstreams ?? []).map(({ name }) => name),
    );
  }

  #recovered(): void {
    this.#lostSince = undefined;
    for (const part of document.querySelectorAll<HTMLElement>("[data-missing]")) delete part.dataset.missing;
    document.body.classList.remove("stale");
    this.#poll.hurry();
  }

  #failed(error: unknown): void {
    document.body.classList.add("stale");
    this.#lostSince ??= this.#lastAnswer ?? Date.now();
    if (!(error instanceof Refusal)) {
      this.#status.showVerdict(unreachable(this.#lostSince, this.#lastAnswer));
    } else {
      const headline = error.status === 401 ? "Locked: the token is needed" : "The proxy does not answer this page";
      this.#status.showVerdict({ tone: "warn", headline, summary: reasonOf(error) });
    }
  }

  /** Asks for the token once; after that the button does. */
  #locked(): void {
    if (this.#unlockButton.hidden) void this.#unlock();
    this.#unlockButton.hidden = false;
  }

  async #unlock(): Promise<void> {
    const token = await askToken(this.#client.hasToken);
    if (token === undefined) return;
    this.#unlockButton.hidden = true;
    this.#client.setToken(token);
    this.#poll.hurry();
  }

  #showName(name: string): void {
    this.#connections.showName(name);
    this.#log.showName(name);
    byId("connections").scrollIntoView();
    byId("connections-name").focus({ preventScroll: true });
  }
}

new Page().start();
