/**
 * The admin interface of a running proxy, whichever configuration is in force.
 *
 * Owns: where it listens, that what the configuration says of it changes with all the rest, and patience with a process
 * that is replaced: that one answers at the same address until it has drained. It must not answer: the handler does.
 */

import type { Clock } from "../adapter.ts";
import { type Endpoint, sameEndpoint } from "../address.ts";
import { answerRequest, type HandlerSettings, refusedRequest } from "../admin/handler.ts";
import type { OperatedProxy } from "../admin/operated_proxy.ts";
import type { AdminConfig } from "../config/admin_options.ts";
import type { IoError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { HttpService } from "../http_service.ts";
import { ListenError } from "../proxy/listen_error.ts";
import { loadToken } from "../secrets.ts";

type AdminHost = Pick<Host, "serveHttp" | "env" | "readTextFile">;

/** It listens at what was asked for; its port may be another one, given for 0. */
interface Opened {
  readonly asked: Endpoint;
  readonly service: HttpService;
}

export interface AdminParts {
  readonly host: AdminHost;
  readonly clock: Pick<Clock, "after">;
  readonly proxy: OperatedProxy;
  /** A process that this one replaces may still have the address. */
  readonly joins: boolean;
  /** Carries out `task` when no reload is under way. */
  alone(task: () => Promise<void>): void;
  warn(message: string): void;
}

/** Milliseconds between two looks whether the former process is gone. */
const LOOK_AGAIN = 1_000;

export class AdminInForce {
  readonly #parts: AdminParts;
  /** It has not had its address yet. */
  #joins: boolean;
  #cancelLook = () => {};
  #isClosed = false;
  #opened: Opened | undefined;
  #settings: HandlerSettings | undefined;

  constructor(parts: AdminParts) {
    this.#parts = parts;
    this.#joins = parts.joins;
  }

  /** Where it listens; undefined: nowhere. */
  get endpoint(): Endpoint | undefined {
    return this.#opened?.service.endpoint;
  }

  /** Opens what `admin` asks for, and returns how to use it or let it go. @throws {StartError | ListenError} as the rejection. */
  async prepare(admin: AdminConfig | undefined): Promise<{ use(): void; release(): void }> {
    const former = this.#opened;
    const token = admin?.token && (await loadToken(admin.token, this.#parts.host));
    const opened = await this.#open(admin, former);
    return {
      use: () => {
        this.#opened = opened;
        if (opened !== undefined) this.#joins = false;
        this.#settings = admin && opened && { ...admin, endpoint: opened.service.endpoint, token };
        if (former !== opened) former?.service.close();
        this.#cancelLook();
        if (admin !== undefined && opened === undefined) this.#lookAgain(admin);
      },
      release: () => {
        if (opened !== former) opened?.service.close();
      },
    };
  }

  /** The former process has the address still. */
  #lookAgain(admin: AdminConfig): void {
    const { clock, alone, warn } = this.#parts;
    const look = async (): Promise<void> => {
      if (this.#isClosed || this.#opened !== undefined) return;
      try {
        (await this.prepare(admin)).use();
      } catch (error) {
        warn(error instanceof Error ? error.message : String(error));
      }
    };
    this.#cancelLook = clock.after(LOOK_AGAIN, () => alone(look));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
    this.#opened?.service.close();
    this.#opened = undefined;
  }

  async #open(admin: AdminConfig | undefined, former: Opened | undefined): Promise<Opened | undefined> {
    if (admin === undefined) return undefined;
    if (former !== undefined && sameEndpoint(former.asked, admin.endpoint)) return former;
    try {
      const service = await this.#parts.host.serveHttp(admin.endpoint, {
        answer: async (request) => {
          const settings = this.#settings;
          if (settings === undefined) return refusedRequest(503, "it is only about to serve");
          return answerRequest(request, this.#parts.proxy, settings);
        },
        refuse: refusedRequest,
      });
      return { asked: admin.endpoint, service };
    } catch (error) {
      const reason = error as IoError;
      if (this.#joins && reason.code === "EADDRINUSE") return undefined;
      throw new ListenError(admin.endpoint, reason);
    }
  }
}
