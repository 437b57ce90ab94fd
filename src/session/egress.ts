/**
 * How a connection leaves towards its server, where that is more than a plain connect: through a proxy, from an address,
 * behind a PROXY header, behind a request for TLS.
 *
 * Owns: the opening that follows from it. Connections without any of this have no such object.
 */

import type { ProxyHeaderConfig, RouteOptions, UpstreamConfig, ViaConfig } from "../config/config.ts";
import { type Secrets, secretKey } from "../config/secrets.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { HttpConnect } from "../opening/http_connect.ts";
import { type Opening, OpeningChain } from "../opening/opening.ts";
import { PostgresTls } from "../opening/postgres_tls.ts";
import type { ProxyCredentials } from "../opening/proxied_target.ts";
import { Socks5 } from "../opening/socks5.ts";
import type { DialPlan } from "./dial_plan.ts";
import { proxyHeaderOf } from "./proxy_header.ts";
import { ViaPlan } from "./via_plan.ts";

const NOTHING = new Uint8Array(0);

export class Egress {
  readonly #header: ProxyHeaderConfig | undefined;
  readonly #via: ViaConfig | undefined;
  readonly #secrets: Secrets;
  readonly #asksForTls: boolean;
  /** Local addresses to connect from; `undefined`: the configuration's for all. */
  readonly bind: readonly string[] | undefined;
  #plan: ViaPlan | undefined;
  #headerSent = false;

  constructor(
    { header, via, bind }: { header?: ProxyHeaderConfig | undefined } & Pick<RouteOptions, "via" | "bind">,
    secrets: Secrets,
    asksForTls: boolean,
  ) {
    this.#header = header;
    this.#via = via;
    this.bind = bind;
    this.#secrets = secrets;
    this.#asksForTls = asksForTls;
  }

  /** The plan's servers, by way of the proxy if there is one. */
  through(plan: DialPlan): DialPlan {
    if (this.#via === undefined) return plan;
    this.#plan = new ViaPlan(plan, this.#via);
    return this.#plan;
  }

  /** For the server that has just connected; undefined where nothing is said before the relay. */
  opening(record: ConnectionRecord): Opening | undefined {
    const proxied = this.#via === undefined ? undefined : this.#proxied(this.#via);
    if (!this.#asksForTls) return proxied;
    const header = this.#headerBytes(record);
    this.#headerSent = true;
    const tls = new PostgresTls(header);
    return proxied === undefined ? tls : new OpeningChain([proxied, tls]);
  }

  /** The PROXY header, where no opening has sent it. */
  head(record: ConnectionRecord): Uint8Array {
    return this.#headerSent ? NOTHING : this.#headerBytes(record);
  }

  #headerBytes(record: ConnectionRecord): Uint8Array {
    return this.#header === undefined ? NOTHING : proxyHeaderOf(this.#header, record);
  }

  #proxied(via: ViaConfig): Opening {
    const server = this.#plan!.server!;
    const credentials = this.#credentials(via);
    return via.protocol === "socks5" ? new Socks5(server, credentials) : new HttpConnect(server, credentials);
  }

  #credentials({ username, password }: ViaConfig): ProxyCredentials | undefined {
    if (username === undefined) return undefined;
    return { username, password: password === undefined ? "" : (this.#secrets[secretKey(password)] ?? "") };
  }
}

/** The way out of a route, and of its upstream if it leads to one; undefined where it is a plain connect. */
export function egressOf(
  { via, bind }: Pick<RouteOptions, "via" | "bind">,
  upstream: UpstreamConfig | undefined,
  secrets: Secrets,
  asksForTls: boolean,
): Egress | undefined {
  const header = upstream?.proxyProtocol;
  const proxy = via ?? upstream?.via;
  const local = bind ?? upstream?.bind;
  // Most connections end here, without an object.
  if (header === undefined && proxy === undefined && local === undefined && !asksForTls) return undefined;
  return new Egress({ header, via: proxy, bind: local }, secrets, asksForTls);
}
