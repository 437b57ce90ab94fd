/**
 * An upstream at work: the configured servers and their balancer's state.
 *
 * It must not connect: it only says which server is next.
 */

import type { ServerConfig, UpstreamConfig } from "../config/config.ts";
import { type Balancer, RoundRobin } from "./balancer.ts";

export class Upstream {
  readonly config: UpstreamConfig;
  readonly balancer: Balancer<ServerConfig>;

  constructor(config: UpstreamConfig) {
    this.config = config;
    this.balancer = new RoundRobin(config.servers);
  }
}
