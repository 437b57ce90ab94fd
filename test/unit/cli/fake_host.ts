/** A host whose files and names are in memory, and which remembers what was printed. */

import { domainToASCII } from "node:url";
import { parseArgs } from "node:util";
import type { CliContext } from "../../../src/cli/command.ts";
import type { Host } from "../../../src/host.ts";

export interface FakeWorld {
  readonly context: CliContext;
  readonly out: () => string;
  readonly err: () => string;
}

export function fakeWorld(
  files: Readonly<Record<string, string>>,
  names: Readonly<Record<string, string[]>> = {},
): FakeWorld {
  let out = "";
  let err = "";
  const missing = (code: string) => Promise.reject({ code, message: code });
  const host: Host = {
    runtime: "test 1.0",
    version: "9.9.9",
    env: {},
    stdout: {
      isTerminal: false,
      write: (text) => {
        out += text;
      },
    },
    stderr: {
      isTerminal: false,
      write: (text) => {
        err += text;
      },
    },
    parseArgs: (args, options) => {
      const { values, positionals } = parseArgs({ args: [...args], options: { ...options }, allowPositionals: true });
      return { values, positionals } as ReturnType<Host["parseArgs"]>;
    },
    readTextFile: async (path) => (Object.hasOwn(files, path) ? files[path]! : missing("ENOENT")),
    listDirectory: async (path) => {
      const inside = Object.keys(files).filter((file) => file.startsWith(`${path}/`));
      return inside.length > 0 ? inside.map((file) => file.slice(path.length + 1)) : missing("ENOENT");
    },
    fileStamp: (path) => files[path],
    openLog: () => {
      throw { code: "EACCES", message: "permission denied" };
    },
    createResolver: () => ({
      concurrency: 4,
      resolve: (name, answered) =>
        answered(
          Object.hasOwn(names, name)
            ? { addresses: names[name]!, ttl: undefined }
            : { code: "ENOTFOUND", message: "ENOTFOUND" },
        ),
      resolveService: (_, answered) => answered({ code: "ENOTFOUND", message: "ENOTFOUND" }),
      resolveBindings: (_, answered) => answered({ code: "ENOTFOUND", message: "ENOTFOUND" }),
      resolveByDns: (_, answered) => answered({ code: "ENOTFOUND", message: "ENOTFOUND" }),
      close() {},
    }),
    probe: () => () => {},
    serveHttp: () => missing("EACCES"),
    requestHttp: () => missing("ECONNREFUSED"),
    openScreen: () => undefined,
    interfaceAddresses: () => ["127.0.0.1", "10.0.0.5"],
    domainToAscii: domainToASCII,
    random: () => 0.5,
    onSignal: () => () => {},
    descriptorLimit: () => 1024,
    resources: () => ({ resident: 1, descriptors: undefined, descriptorLimit: 1024 }),
    parallelism: 2,
    startWorker: undefined,
  };
  const context: CliContext = {
    host,
    selectAdapter: async (name) => {
      throw new Error(`Cannot use adapter ${name}: there is none in this test`);
    },
    loadDemo: () => missing("ENOTFOUND"),
  };
  return { context, out: () => out, err: () => err };
}
