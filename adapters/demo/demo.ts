/**
 * The demo's cast: an authority, origins with its certificates, and a client that trusts it alone.
 *
 * Owns: their life, and the one file that curl needs.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DemoAnswer, DemoParts } from "../../src/cli/command.ts";
import { createAuthority } from "./certificates.ts";
import { httpsGet } from "./client.ts";
import { type OriginAnswer, startOrigin } from "./origin.ts";

/** Makes the authority and writes its certificate to a temporary directory. */
export async function loadDemo(): Promise<DemoParts> {
  const authority = createAuthority();
  const directory = await mkdtemp(join(tmpdir(), "certless-demo-"));
  const authorityPath = join(directory, "ca.pem");
  await writeFile(authorityPath, authority.certificate);
  return {
    authorityPath,
    startOrigin: (label, name) => startOrigin({ origin: label, leaf: authority.leaf(name) }),
    get: (name, port) => get(name, port, authority.certificate),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

async function get(name: string, port: number, ca: string): Promise<DemoAnswer> {
  const outcome = await httpsGet({ host: "127.0.0.1", port, serverName: name, ca });
  if (!outcome.ok) return { error: outcome.alert === undefined ? outcome.message : `TLS alert ${outcome.alert}` };
  const { origin } = JSON.parse(outcome.body) as OriginAnswer;
  return { status: outcome.status, origin, certificate: outcome.certificate };
}
