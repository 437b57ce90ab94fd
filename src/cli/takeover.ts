/**
 * Where `certless run` gets listening sockets from besides opening them: systemd, or the process that it replaces.
 *
 * Owns: the decision, and the words. A second process by mistake gets nothing here, and fails at the port.
 */

import { formatEndpoint, sameEndpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { Inheritance } from "../service/inherited_sockets.ts";
import type { System } from "../system.ts";
import { CliError, type SelectedAdapter } from "./command.ts";

/** @param replaced `--replace`, as written. @throws {CliError} as the rejection. */
export async function findInheritance(
  system: System,
  config: Config,
  selected: SelectedAdapter,
  replaced: string | undefined,
  warn: (message: string) => void,
): Promise<Inheritance | undefined> {
  const sockets = passed(system);
  if (sockets.length > 0) return { from: "systemd", sockets, system, join: false };
  if (replaced === undefined) return undefined;
  const process = readProcess(replaced);
  const fail = (reason: string): never => {
    throw new CliError(`Cannot replace process ${process}: ${reason}`);
  };
  const path = config.listeners.find(({ endpoint }) => endpoint.kind === "unix");
  if (path !== undefined) {
    fail(
      `it removes the file of ${formatEndpoint(path.endpoint)} when it ends; ` +
        "let systemd open that socket, or stop it and start again",
    );
  }
  const found = await system.socketsOf(process).catch((error: Error) => fail(error.message));
  const shared = found.sockets.filter((socket) =>
    config.listeners.some(({ endpoint }) => sameEndpoint(endpoint, socket.endpoint)),
  );
  if (shared.length === 0) fail("it listens on no address of this configuration; name the process that does");
  return found.refusal === undefined && capabilities(selected).adopts === true
    ? { from: `process ${process}`, sockets: found.sockets, system, join: true }
    : joined(system, selected, found, process, fail, warn);
}

function passed(system: System): Inheritance["sockets"] {
  try {
    return system.passedSockets();
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws {CliError} */
export function readProcess(text: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  throw new CliError(`Cannot replace ${JSON.stringify(text)}: it must be the number of the process that runs now`);
}

function capabilities({ adapter, workerAdapter = adapter }: SelectedAdapter): { adopts?: boolean; reusePort: boolean } {
  return workerAdapter.capabilities;
}

/** The next best: both listen on the port for a while. */
function joined(
  system: System,
  selected: SelectedAdapter,
  { sockets, refusal }: Awaited<ReturnType<System["socketsOf"]>>,
  process: number,
  fail: (reason: string) => never,
  warn: (message: string) => void,
): Inheritance {
  const { name } = selected.workerAdapter ?? selected.adapter;
  const reason = refusal ?? `the adapter ${name} cannot accept from the socket of another process`;
  if (!capabilities(selected).reusePort) {
    fail(`${reason}, and it cannot share a port here; on Deno give it --unstable-net, or use the adapter linux`);
  }
  for (const { descriptor } of sockets) if (descriptor !== undefined) system.closeDescriptor(descriptor);
  if (!system.migratesQueues()) {
    warn(
      `process ${process} and this one share the ports: ${reason}; clients that the former has not accepted when it ` +
        "closes are lost, unless net.ipv4.tcp_migrate_req is 1 (sysctl)",
    );
  }
  const seen = sockets.map(({ endpoint }) => ({ endpoint, descriptor: undefined }));
  return { from: `process ${process}`, sockets: seen, system, join: true };
}
