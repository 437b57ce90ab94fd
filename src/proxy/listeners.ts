/**
 * The listeners of a proxy.
 *
 * Owns: opening and closing them as configurations come and go; one that stays is not touched. It must not serve: who
 * connects before its listener has settings waits for them.
 */

import type { Adapter, Listener, Socket } from "../adapter.ts";
import { type Endpoint, formatEndpoint } from "../address.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { IoError } from "../errors.ts";
import type { SessionSettings } from "../session/session_settings.ts";
import { LoopWatch } from "../upstream/loop_watch.ts";
import { ListenError } from "./listen_error.ts";
import { DEFAULT_PORTS, type ListenerOwn } from "./listener_settings.ts";

/** Descriptors of listening sockets, by address. */
export type Adoptable = readonly (readonly [address: string, descriptors: readonly number[]])[];

export interface ListenersParts {
  readonly adapter: Adapter;
  /** Other workers listen on the same ports. */
  readonly reusePort: boolean;
  /** Sockets that listen already: each is accepted from once its listener is wanted. */
  readonly adopt: Adoptable;
  accepted(open: ServingListener, socket: Socket): void;
  warn(message: string): void;
}

/** A listener and what its sessions share. */
export interface ServingListener {
  config: ListenerConfig;
  /** Its address, with the port that was given for 0. */
  readonly text: string;
  readonly settings: SessionSettings;
}

interface OpenListener {
  config: ListenerConfig;
  readonly listener: Listener;
  readonly text: string;
  readonly own: ListenerOwn;
  settings: SessionSettings | undefined;
  /** Who came before there were settings. */
  early: Socket[];
}

/** A listener of a configuration, and where it is to be; null: another worker has it. */
export interface Wanted {
  readonly config: ListenerConfig;
  readonly endpoint: Endpoint | null;
  /** Milliseconds, for one that is not open yet. */
  readonly userTimeout: number;
}

export class Listeners {
  readonly #parts: ListenersParts;
  #open: OpenListener[] = [];
  #isClosed = false;
  /** Those that are left. */
  readonly #adopt: Map<string, readonly number[]>;

  constructor(parts: ListenersParts) {
    this.#parts = parts;
    this.#adopt = new Map(parts.adopt);
  }

  /** Where they are, in the order of the configuration. */
  get endpoints(): Endpoint[] {
    return this.#open.map(({ listener }) => listener.endpoint);
  }

  /** By address, those that serve. */
  settingsOf(text: string): SessionSettings | undefined {
    return this.#open.find((open) => open.text === text)?.settings;
  }

  /**
   * Opens those of `wanted` that are not open; none where one fails.
   * @returns what is to be in force next; nothing changes for those that are open before `replace`.
   * @throws {ListenError} as the rejection.
   */
  async prepare(wanted: readonly Wanted[]): Promise<PreparedListeners> {
    const next: [OpenListener, ListenerConfig][] = [];
    const fresh: OpenListener[] = [];
    try {
      for (const one of wanted) {
        if (one.endpoint === null) continue;
        const text = formatEndpoint(one.endpoint);
        const known = this.#open.find((open) => open.text === text);
        const open = known ?? (await this.#listen(one, one.endpoint));
        if (known === undefined) fresh.push(open);
        next.push([open, one.config]);
      }
    } catch (error) {
      for (const open of fresh) close(open);
      throw error;
    }
    return { next, fresh };
  }

  /** Puts what was prepared in force: those that are left over close, the others serve by `settingsFor`. */
  replace(
    { next, fresh }: PreparedListeners,
    settingsFor: (config: ListenerConfig, own: ListenerOwn) => SessionSettings,
  ): void {
    const kept = next.map(([open]) => open);
    for (const open of this.#open) if (!kept.includes(open)) close(open);
    this.#open = kept;
    // The drain has begun meanwhile.
    if (this.#isClosed) for (const open of fresh) close(open);
    for (const [open, config] of next) {
      const settings = settingsFor(config, open.own);
      open.config = config;
      if (open.settings === undefined) open.settings = settings;
      else Object.assign(open.settings, settings);
    }
    for (const open of kept)
      for (const socket of open.early.splice(0)) this.#parts.accepted(open as ServingListener, socket);
  }

  pause(): void {
    for (const { listener } of this.#open) listener.pause();
  }

  resume(): void {
    for (const { listener } of this.#open) listener.resume();
  }

  /** For good. */
  close(): void {
    this.#isClosed = true;
    for (const open of this.#open) close(open);
  }

  async #listen({ config, userTimeout }: Wanted, endpoint: Endpoint): Promise<OpenListener> {
    const { adapter, reusePort, warn } = this.#parts;
    const early: Socket[] = [];
    let open: OpenListener | undefined;
    const accepted = (socket: Socket): void => {
      if (open?.settings === undefined) early.push(socket);
      else this.#parts.accepted(open as ServingListener, socket);
    };
    const acceptFailed = (code: string): void =>
      warn(`Cannot accept on ${formatEndpoint(endpoint)}: ${code}; clients wait until there is room again`);
    const options = { reusePort, userTimeout, acceptFailed };
    try {
      const listener = await adapter.listen(endpoint, accepted, { ...options, ...this.#adopted(endpoint) });
      const { endpoint: bound } = listener;
      const port = bound.kind === "tcp" ? bound.port : DEFAULT_PORTS[config.protocol];
      const own = { loops: new LoopWatch(), port };
      open = { config, listener, text: formatEndpoint(bound), own, settings: undefined, early };
      return open;
    } catch (error) {
      throw new ListenError(endpoint, error as IoError);
    }
  }

  /** Given away once: whoever has them closes them. */
  #adopted(endpoint: Endpoint): { readonly adopt?: readonly number[] } {
    const text = formatEndpoint(endpoint);
    const adopt = this.#adopt.get(text);
    this.#adopt.delete(text);
    return adopt === undefined ? {} : { adopt };
  }
}

/** Opened, and not in force yet. */
export interface PreparedListeners {
  readonly next: readonly (readonly [OpenListener, ListenerConfig])[];
  readonly fresh: readonly OpenListener[];
}

function close({ listener, early }: OpenListener): void {
  listener.close();
  for (const socket of early.splice(0)) socket.destroy();
}
