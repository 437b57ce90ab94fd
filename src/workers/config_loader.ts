/**
 * Reads configuration files in a thread of its own, so that connections go on meanwhile: a million routes take seconds.
 *
 * Owns: the thread, which stays for a while after its last file, since the next one often comes soon. Where there are no
 * threads, the caller's own does it. It must not decide what becomes of a configuration.
 */

import type { Clock } from "../adapter.ts";
import type { ConfigFile, FileReader } from "../config_file.ts";
import type { Host, WorkerThread } from "../host.ts";
import { answerLoad, type LoadAnswer, type LoadRequest } from "./load_request.ts";

export interface ConfigLoaderParts {
  readonly clock: Pick<Clock, "after">;
  readonly host: FileReader & Pick<Host, "startWorker">;
}

/** Milliseconds that an idle thread is kept; its memory goes with it. */
const KEPT_FOR = 30_000;

interface Asked {
  readonly path: string;
  answer(file: ConfigFile): void;
}

export class ConfigLoader {
  readonly #parts: ConfigLoaderParts;
  readonly #asked = new Map<number, Asked>();
  #thread: WorkerThread<LoadRequest> | undefined;
  #cancelEnd: () => void = () => {};
  #id = 0;

  constructor(parts: ConfigLoaderParts) {
    this.#parts = parts;
  }

  /** Reads, checks and lays out the configuration file at `path`. Never rejects. */
  async load(path: string): Promise<ConfigFile> {
    const { host } = this.#parts;
    const request = { id: ++this.#id, path };
    if (host.startWorker === undefined) return (await answerLoad(host, request)).file;
    this.#cancelEnd();
    this.#thread ??= this.#startThread(host.startWorker);
    const answered = new Promise<ConfigFile>((answer) => this.#asked.set(request.id, { path, answer }));
    this.#thread.post(request);
    return answered;
  }

  /** Ends the thread; what it was asked meanwhile is answered with a failure. */
  close(): void {
    this.#cancelEnd();
    const thread = this.#thread;
    this.#gone("it was stopped");
    thread?.terminate();
  }

  #startThread(start: NonNullable<Host["startWorker"]>): WorkerThread<LoadRequest> {
    const thread = start<LoadRequest, LoadAnswer>(
      {
        message: (message) => this.#answered(message),
        exited: (reason) => {
          if (this.#thread === thread) this.#gone(reason);
        },
      },
      "loader",
    );
    return thread;
  }

  #answered({ id, file }: LoadAnswer): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (this.#asked.size === 0) this.#cancelEnd = this.#parts.clock.after(KEPT_FOR, () => this.close());
    asked?.answer(file);
  }

  #gone(reason: string): void {
    this.#thread = undefined;
    this.#cancelEnd();
    for (const { path, answer } of this.#asked.values()) {
      answer({ code: "EUNKNOWN", reason: `Cannot read ${path}: the thread that reads it has ended (${reason})` });
    }
    this.#asked.clear();
  }
}
