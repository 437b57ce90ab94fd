/**
 * What this machine allows: descriptors, and the listeners' ports.
 *
 * Owns: trying each port for a moment. It must not leave one open.
 */

import type { Adapter } from "../adapter.ts";
import { formatEndpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { IoError } from "../errors.ts";
import type { Host } from "../host.ts";
import { type Finding, finding } from "./finding.ts";

export interface MachineParts {
  readonly config: Config;
  readonly adapter: Pick<Adapter, "listen">;
  readonly host: Pick<Host, "descriptorLimit">;
}

/** Fewer descriptors than this are few, whatever is asked for. */
const FEW = 1_024;

export async function examineMachine({ config, adapter, host }: MachineParts): Promise<Finding[]> {
  const findings: Finding[] = [];
  const limit = host.descriptorLimit();
  const asked = config.limits.connections;
  const needed = asked === "auto" ? FEW : 2 * asked;
  if (limit !== undefined && limit < needed) {
    findings.push(finding("descriptors", "limits.connections", `${asked} connections, and ${limit} descriptors`));
  }
  for (const { endpoint } of config.listeners) {
    if (endpoint.kind !== "tcp" || endpoint.port === 0) continue;
    try {
      (await adapter.listen(endpoint, (socket) => socket.destroy())).close();
    } catch (error) {
      const { code } = error as IoError;
      findings.push(finding(code === "EADDRINUSE" ? "port_in_use" : "port_unusable", formatEndpoint(endpoint), code));
    }
  }
  return findings;
}
