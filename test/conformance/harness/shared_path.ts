/**
 * One proxy and one server that all tests of a `describe` share.
 *
 * Owns: starting both before the first test, and ending them behind the last.
 */

import { before } from "node:test";
import type { Combination } from "./combinations.ts";
import { type Joined, type JoinOptions, join } from "./connection.ts";
import { type Origin, startOrigin } from "./origin.ts";
import { type ProxyOptions, type RunningProxy, startProxy } from "./proxy.ts";
import { type Scope, suiteScope } from "./waiting.ts";

export class SharedPath {
  /** Ends behind the last test. */
  readonly scope: Scope = suiteScope();
  origin!: Origin;
  proxy!: RunningProxy;

  /** Call it in a `describe`. @param configure makes the configuration, given the server's address. */
  constructor(combination: Combination, configure: (to: string) => ProxyOptions["config"]) {
    before(async () => {
      this.origin = await startOrigin(this.scope);
      this.proxy = await startProxy(this.scope, combination, { config: configure(this.origin.address) });
    });
  }

  join(t: Scope, host: string, options?: JoinOptions): Promise<Joined> {
    return join(t, this.proxy, this.origin, host, options);
  }
}

/** The whole configuration: one listener for TLS, one route. */
export function routing(host: string): (to: string) => ProxyOptions["config"] {
  return (to) => ({ listeners: [{ address: "127.0.0.1:0" }], routes: { [host]: to } });
}
