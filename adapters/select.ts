/**
 * Which adapter serves here.
 *
 * Owns: the detection of the runtime and the choice. An adapter is loaded only once it is chosen, because loading
 * another runtime's would fail.
 */

import type { Adapter } from "../src/adapter.ts";
import type { SelectedAdapter } from "../src/cli/command.ts";

/** `auto` takes `linux` where it can run, else the adapter of the runtime that runs. */
export const ADAPTER_NAMES = ["auto", "linux", "node", "deno", "bun"] as const;

export type RuntimeName = "node" | "deno" | "bun";

const LOADERS: Readonly<Record<RuntimeName, () => Promise<Adapter>>> = {
  node: async () => (await import("./node.ts")).nodeAdapter,
  deno: async () => (await import("./deno.ts")).denoAdapter,
  bun: async () => (await import("./bun.ts")).bunAdapter,
};

/** From the global that only that runtime has; both others also call themselves Node somewhere. */
export function runtimeName(): RuntimeName {
  if ("Bun" in globalThis) return "bun";
  return "Deno" in globalThis ? "deno" : "node";
}

/**
 * Loads the adapter that was asked for.
 * @param name One of `ADAPTER_NAMES`.
 * @throws {Error} as the rejection, for an unknown name and for an adapter of another runtime.
 */
export async function selectAdapter(name: string): Promise<SelectedAdapter> {
  const runtime = runtimeName();
  if (name === "auto" || name === "linux") return await selectLinux(name === "linux", runtime);
  if (!Object.hasOwn(LOADERS, name)) {
    throw new Error(`Cannot use the adapter "${name}": there are ${ADAPTER_NAMES.join(", ")}`);
  }
  if (name !== runtime) {
    throw new Error(`Cannot use the adapter "${name}": this is ${runtime}, and it needs ${name}`);
  }
  return { adapter: await LOADERS[runtime](), why: "asked for" };
}

async function selectLinux(isAskedFor: boolean, runtime: RuntimeName): Promise<SelectedAdapter> {
  const { LINUX, whyNoLinux } = await import("./linux/open.ts");
  const reason = await whyNoLinux();
  if (isAskedFor && reason !== undefined) throw new Error(`Cannot use the adapter "linux": ${reason}`);
  const adapter = await LOADERS[runtime]();
  if (reason !== undefined) return { adapter, why: `the sockets of the runtime; linux cannot be used: ${reason}` };
  return { adapter, workerAdapter: LINUX, why: isAskedFor ? "asked for" : "the fastest here" };
}
