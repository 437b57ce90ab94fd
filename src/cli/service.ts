/**
 * `certless run` as a service: sockets from elsewhere, the service manager, and the end of the process before this one.
 *
 * Owns: the order: first this one serves, then the service manager knows, then the former is told to drain.
 */

import { formatEndpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { RunningProxy } from "../mod.ts";
import type { Inheritance } from "../service/inherited_sockets.ts";
import { ServiceManager } from "../service/service_manager.ts";
import { type CliContext, CliError, type SelectedAdapter } from "./command.ts";
import { findInheritance, readProcess } from "./takeover.ts";

export interface Service {
  readonly manager: ServiceManager;
  /** @throws {CliError} as the rejection. */
  inherit(config: Config, replaced: string | undefined): Promise<Inheritance | undefined>;
  /** The proxy serves. */
  started(proxy: RunningProxy, replaced: string | undefined): void;
}

export async function openService({ host }: CliContext, selected: SelectedAdapter): Promise<Service> {
  const warn = (message: string): void => host.stderr.write(`certless: ${message}\n`);
  const system = await host.openSystem?.();
  const notifier = await system?.openNotifier(warn);
  const manager = new ServiceManager({ notifier, clock: selected.adapter.clock, warn });
  return {
    manager,
    async inherit(config, replaced) {
      if (system !== undefined) return await findInheritance(system, config, selected, replaced, warn);
      if (replaced === undefined) return undefined;
      throw new CliError(`Cannot replace process ${replaced}: this host has no way to`);
    },
    started(proxy, replaced) {
      manager.ready(`serving on ${proxy.endpoints.map(formatEndpoint).join(", ")}`, () => proxy.askWhetherAlive());
      if (system === undefined || replaced === undefined) return;
      const process = readProcess(replaced);
      try {
        system.terminate(process);
        warn(`process ${process} is replaced, and drains`);
      } catch (error) {
        warn(`Cannot tell process ${process} to drain: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}
