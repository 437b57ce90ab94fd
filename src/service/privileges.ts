/**
 * The options `user` and `group` at work: root opens ports and logs, and is then given up for good.
 *
 * Owns: when it cannot be done, in words with a remedy. How is the system's affair.
 */

import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { Host } from "../host.ts";
import { StartError } from "../start_error.ts";
import type { Account, System } from "../system.ts";

/** What is to be given up, and how; undefined: nothing is asked for, or the process is that user already. */
export interface Privileges {
  readonly account: Account;
  readonly system: System;
}

/** Looked up before anything is opened. @throws {StartError} as the rejection. */
export async function findPrivileges(config: Config, host: Host): Promise<Privileges | undefined> {
  const { user, group } = config;
  if (user === undefined) return undefined;
  if (host.openSystem === undefined) throw new StartError(`Cannot become the user ${user}: this host has no way to`);
  const system = await host.openSystem();
  const account = lookUp(system, user, group);
  if (system.userId === account.uid && system.userId !== 0) return undefined;
  if (system.userId === 0) return { account, system };
  throw new StartError(
    `Cannot become the user ${user}: only root can, and this process is user ${system.userId}; ` +
      "start it as root, or remove user and let the service manager choose it (User= in the systemd unit)",
  );
}

function lookUp(system: System, user: string, group: string | undefined): Account {
  try {
    return system.findAccount(user, group);
  } catch (error) {
    throw new StartError(`Cannot become the user ${user}: ${phrase(error)}; create it, or name another one`);
  }
}

/** The last step of a start. @throws {StartError} as the rejection. */
export async function giveUp(
  { account, system }: Privileges,
  config: Config,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const log = config.log.access?.path ?? "stdout";
  const files = log === "stdout" || log === "stderr" ? [] : [log];
  const sockets = endpoints.flatMap((endpoint) => (endpoint.kind === "unix" ? [endpoint.path] : []));
  system.giveFiles([...files, ...sockets], account);
  try {
    await system.becomeAccount(account);
  } catch (error) {
    throw new StartError(
      `Cannot become ${account.text}: ${phrase(error)}; remove user, and let the service manager choose it (User=)`,
    );
  }
}

function phrase(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
