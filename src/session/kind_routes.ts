/** The routes of a listener for any protocol whose clients name no server, each with its kind as its text. */

import type { Destination, KindsConfig, Route } from "../config/config.ts";

export interface KindRoutes {
  readonly ssh: Route;
  readonly other: Route;
  readonly silent: Route | undefined;
  /** Milliseconds without a byte after which a client goes to `silent`. */
  readonly silentAfter: number;
}

export function kindRoutes({ ssh, other, silent, silentAfter }: KindsConfig): KindRoutes {
  return {
    ssh: namelessRoute("ssh", ssh),
    other: namelessRoute("other", other),
    silent: silent && namelessRoute("silent", silent),
    silentAfter,
  };
}

/** A route that no name leads to, `default` included. */
export function namelessRoute(text: string, to: Destination): Route {
  return { kind: "default", text, line: 0, to, allowPrivate: false, via: undefined, bind: undefined };
}
