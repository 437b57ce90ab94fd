/** `certless top`: a running proxy, live in the terminal. */

import type { ConnectionsAnswer, NamesAnswer, StatusAnswer, UpstreamsAnswer } from "../admin/api.ts";
import type { Screen } from "../host.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, type AdminClient, adminClient } from "./admin_client.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { styleFor } from "./style.ts";
import { type Sample, topLines } from "./top_picture.ts";

/** Milliseconds between two pictures. */
const INTERVAL = 1_000;
const CONTROL_C = "\u0003";
const ESCAPE = "\u001b";
/** Of the one picture for a file or a pipe. */
const PAGE = { columns: 80, rows: 60 };

export const top: Command = {
  summary: "the running proxy live: rates, names, upstreams, connections",
  usage: "[FILE] [--admin ADDRESS] [--token-file PATH]",
  help: `Shows rates, the busiest names, upstreams' servers and the newest connections, anew each second; q
ends it. Where standard output is no terminal, it is printed once.

${ADMIN_HELP}`,
  options: ADMIN_OPTIONS,
  maxPositionals: 1,
  async run(context: CliContext, args: CommandArgs): Promise<number> {
    const { host } = context;
    const client = await adminClient(context, args, args.positionals[0]);
    // Whoever cannot be asked is told before the terminal changes.
    const first = await sampleOf(client, PAGE.rows);
    const screen = host.stdout.isTerminal ? host.openScreen() : undefined;
    if (screen === undefined) {
      host.stdout.write(`${topLines(first, undefined, PAGE, styleFor(host, host.stdout)).join("\n")}\n`);
      return EXIT.ok;
    }
    const failure = await new Live(screen, client, styleFor(host, host.stdout), first).ended;
    if (failure !== undefined) throw failure;
    return EXIT.ok;
  },
};

/** The picture, drawn again and again until somebody ends it. */
class Live {
  /** With what went wrong, if anything did. */
  readonly ended: Promise<CliError | undefined>;
  readonly #screen: Screen;
  readonly #client: AdminClient;
  readonly #style: ReturnType<typeof styleFor>;
  #former: Sample | undefined;
  #latest: Sample;
  #isOver = false;
  #cancel: () => void = () => {};
  #end!: (failure: CliError | undefined) => void;

  constructor(screen: Screen, client: AdminClient, style: ReturnType<typeof styleFor>, first: Sample) {
    this.#screen = screen;
    this.#client = client;
    this.#style = style;
    this.#latest = first;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    screen.onInput((key) => this.#pressed(key));
    this.#draw();
    this.#wait();
  }

  #pressed(key: string): void {
    if (key === "q" || key === "Q" || key === CONTROL_C || key === ESCAPE) this.#close(undefined);
    else this.#draw();
  }

  #wait(): void {
    this.#cancel = this.#screen.after(INTERVAL, () => void this.#next());
  }

  async #next(): Promise<void> {
    try {
      const sample = await sampleOf(this.#client, this.#screen.rows);
      if (this.#isOver) return;
      this.#former = this.#latest;
      this.#latest = sample;
      this.#draw();
      this.#wait();
    } catch (error) {
      this.#close(error instanceof CliError ? error : new CliError(String(error)));
    }
  }

  /** In one piece, each line over the former one: nothing flickers. */
  #draw(): void {
    if (this.#isOver) return;
    const { columns, rows } = this.#screen;
    const lines = topLines(this.#latest, this.#former, { columns, rows }, this.#style);
    this.#screen.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`);
  }

  #close(failure: CliError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#screen.close();
    this.#end(failure);
  }
}

async function sampleOf(client: AdminClient, rows: number): Promise<Sample> {
  const limit = Math.max(1, Math.min(1_000, rows));
  const [status, { upstreams }, { connections }, names] = await Promise.all([
    client.get<StatusAnswer>("status"),
    client.get<UpstreamsAnswer>("upstreams"),
    client.get<ConnectionsAnswer>(`connections?limit=${limit}`),
    // A proxy that counts no names does without.
    client.get<NamesAnswer>(`names?limit=${limit}`).catch(() => undefined),
  ]);
  return { status, upstreams, connections, names: names?.names ?? [] };
}
