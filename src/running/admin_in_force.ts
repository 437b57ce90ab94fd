/**
 * The admin interface of a running proxy, whichever configuration is in force.
 *
 * Owns: where it listens, and that what the configuration says of it changes with all the rest. It must not answer: the
 * handler does.
 */

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

export class AdminInForce {
  readonly #host: AdminHost;
  readonly #proxy: OperatedProxy;
  #opened: Opened | undefined;
  #settings: HandlerSettings | undefined;

  constructor(host: AdminHost, proxy: OperatedProxy) {
    this.#host = host;
    this.#proxy = proxy;
  }

  /** Where it listens; undefined: nowhere. */
  get endpoint(): Endpoint | undefined {
    return this.#opened?.service.endpoint;
  }

  /** Opens what `admin` asks for, and returns how to use it or let it go. @throws {StartError | ListenError} as the rejection. */
  async prepare(admin: AdminConfig | undefined): Promise<{ use(): void; release(): void }> {
    const former = this.#opened;
    const token = admin?.token && (await loadToken(admin.token, this.#host));
    const opened = await this.#open(admin, former);
    return {
      use: () => {
        this.#opened = opened;
        this.#settings = admin && opened && { ...admin, endpoint: opened.service.endpoint, token };
        if (former !== opened) former?.service.close();
      },
      release: () => {
        if (opened !== former) opened?.service.close();
      },
    };
  }

  close(): void {
    this.#opened?.service.close();
    this.#opened = undefined;
  }

  async #open(admin: AdminConfig | undefined, former: Opened | undefined): Promise<Opened | undefined> {
    if (admin === undefined) return undefined;
    if (former !== undefined && sameEndpoint(former.asked, admin.endpoint)) return former;
    try {
      const service = await this.#host.serveHttp(admin.endpoint, {
        answer: async (request) => {
          const settings = this.#settings;
          if (settings === undefined) return refusedRequest(503, "it is only about to serve");
          return answerRequest(request, this.#proxy, settings);
        },
        refuse: refusedRequest,
      });
      return { asked: admin.endpoint, service };
    } catch (error) {
      throw new ListenError(admin.endpoint, error as IoError);
    }
  }
}
