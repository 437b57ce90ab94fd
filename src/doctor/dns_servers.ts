/**
 * Whether each of `resolver.servers` answers.
 *
 * Owns: one question to each, and what its answer means. Any answer but a refusal is one: the name does not matter.
 */

import type { Config } from "../config/config.ts";
import type { Host } from "../host.ts";
import { type Finding, finding } from "./finding.ts";
import { dnsAddressesOf } from "./resolving.ts";

/** @param name what is asked for. @param timeout milliseconds. */
export async function examineDnsServers(
  { resolver: { servers } }: Pick<Config, "resolver">,
  { createResolver }: Pick<Host, "createResolver">,
  name: string,
  timeout: number,
): Promise<Finding[]> {
  return Promise.all(
    servers.map(async (server) => {
      const resolver = createResolver({ servers: [server], timeout });
      const answer = await dnsAddressesOf(resolver, name);
      resolver.close();
      const answers = typeof answer !== "string" || answer === "ENOTFOUND";
      if (answers) return finding("resolver_answers", server, `asked for ${name}`);
      return finding("resolver_silent", server, `asked for ${name}: ${answer}`);
    }),
  );
}
