/**
 * What this machine allows: descriptors, and the listeners' ports.
 *
 * Owns: trying each port for a moment, and who has it where it is taken. It must not leave one open.
 */

import type { Adapter } from "../adapter.ts";
import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { IoError } from "../errors.ts";
import type { Host } from "../host.ts";
import { escapeText } from "../log/escape.ts";
import type { PortOwner } from "../system.ts";
import { type Finding, finding } from "./finding.ts";

export interface MachineParts {
  readonly config: Config;
  readonly adapter: Pick<Adapter, "listen">;
  readonly host: Pick<Host, "descriptorLimit">;
  /** Undefined: it cannot be seen. */
  ownerOf(endpoint: Endpoint): Promise<PortOwner | undefined>;
}

/** Fewer descriptors than this are few, whatever is asked for. */
const FEW = 1_024;

export async function examineMachine(parts: MachineParts): Promise<Finding[]> {
  const { config, host } = parts;
  const findings = descriptorFindings(config, host.descriptorLimit());
  for (const { endpoint } of config.listeners) {
    if (endpoint.kind === "tcp" && endpoint.port !== 0) findings.push(...(await examinePort(parts, endpoint)));
  }
  return findings;
}

function descriptorFindings({ limits }: Config, limit: number | undefined): Finding[] {
  const asked = limits.connections;
  const needed = asked === "auto" ? FEW : 2 * asked;
  if (limit === undefined || limit >= needed) return [];
  return [finding("descriptors", "limits.connections", `${asked} connections, and ${limit} descriptors`)];
}

async function examinePort({ adapter, ownerOf }: MachineParts, endpoint: Endpoint): Promise<Finding[]> {
  const subject = formatEndpoint(endpoint);
  try {
    (await adapter.listen(endpoint, (socket) => socket.destroy())).close();
    return [];
  } catch (error) {
    const { code } = error as IoError;
    if (code !== "EADDRINUSE") return [finding("port_unusable", subject, code)];
    return [ownerFinding(subject, await ownerOf(endpoint))];
  }
}

function ownerFinding(subject: string, owner: PortOwner | undefined): Finding {
  if (owner === undefined) return finding("port_in_use", subject, "EADDRINUSE");
  const seen = `process ${owner.process}: ${escapeText(owner.command)}`;
  return finding(isCertless(owner.command) ? "port_served" : "port_taken", subject, seen);
}

/** `certless run`, by the name of a package's program, of a bundle, or of this checkout's file. */
export function isCertless(command: string): boolean {
  return /(?:^|\/| )(?:certless(?:\.js)?|adapters\/main\.ts) run(?: |$)/.test(command);
}
