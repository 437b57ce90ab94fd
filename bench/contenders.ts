/**
 * Who takes part: every adapter of certless on every runtime, the peers, and no proxy at all.
 *
 * Owns: the list, and how each is started. Who cannot run here is found out by starting it.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { binary, type Runtime } from "../test/runner/suites.ts";
import { CERTLESS_RUNTIMES, type Program } from "./certless_program.ts";
import { LOAD_NAMES, type LoadName } from "./metrics.ts";
import { findProgram, nginxModule } from "./programs.ts";

/** The name in the ClientHello that the generator sends. */
export const SERVER_NAME = "shop.example.test";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Where a contender listens, where the origin is, and a directory that is its own. */
export interface Place {
  readonly port: number;
  readonly originPort: number;
  readonly directory: string;
}

export interface Contender {
  readonly name: string;
  /** The best of the peers is what everyone is compared with. */
  readonly kind: "certless" | "peer" | "direct";
  readonly loads: readonly LoadName[];
  /** Writes its configuration and says how to start it. Undefined: there is no proxy to start. @throws {Error} saying why it cannot be. */
  prepare(place: Place): Command | undefined;
  /** The path of an admin interface that is asked meanwhile, as an open page would. */
  readonly polled?: (place: Place) => string;
}

/** What a certless does besides, whose name then ends in it: an access log; that, metrics and a page that is open. */
const EXTRAS = ["+log", "+all"] as const;
type Extra = (typeof EXTRAS)[number];

/** Only connections are measured of it, and only where it is asked for. */
export function hasExtra({ name }: Contender): boolean {
  return EXTRAS.some((extra) => name.endsWith(extra));
}

/** All that there could be, in the order in which they take turns. */
export function contenders(program: Program): Contender[] {
  const sockets = CERTLESS_RUNTIMES.map((runtime) => certless(program, runtime, runtime));
  const linux = CERTLESS_RUNTIMES.map((runtime) => certless(program, "linux", runtime));
  const busy = EXTRAS.flatMap((extra) =>
    [...sockets, ...linux].map(({ name }) => {
      const [adapter, runtime] = name.split("@") as [string, Runtime?];
      return certless(program, adapter, runtime ?? (adapter as Runtime), extra);
    }),
  );
  return [
    ...linux,
    ...PEERS,
    ...sockets,
    { name: "direct", kind: "direct", loads: LOAD_NAMES, prepare: () => undefined },
    ...busy,
  ];
}

const adminSocket = ({ directory }: Place): string => join(directory, "admin.sock");

/** With an `extra`, one access log line of JSON a connection goes to a file. */
function certless(program: Program, adapter: string, runtime: Runtime, extra?: Extra): Contender {
  const name = adapter === runtime ? runtime : `${adapter}@${runtime}`;
  return {
    name: `${name}${extra ?? ""}`,
    kind: "certless",
    loads: extra === undefined ? LOAD_NAMES : ["connection"],
    ...(extra === "+all" && { polled: adminSocket }),
    prepare: (place) => {
      // Off for all, as the peers' are: it is on by default here.
      const access = extra !== undefined ? { path: join(place.directory, "access.log"), format: "json" } : false;
      const log = `log: ${JSON.stringify({ access })}`;
      const admin = extra === "+all" ? [`admin: { address: "unix:${adminSocket(place)}" }`] : [];
      const tuning = [...(program.hasWorkers ? ["workers: 1"] : []), log, ...admin].join("\n");
      const configuration = fill("certless.yaml", "certless.yaml", place, { TUNING: tuning });
      return { file: binary(runtime), args: program.args(runtime, ["run", configuration, "--adapter", adapter]) };
    },
  };
}

const PEERS: readonly Contender[] = [
  nginx("nginx", ""),
  nginx("nginx-128k", "proxy_buffer_size 128k;"),
  haproxy("haproxy", ""),
  haproxy("haproxy-splice", "option splice-auto"),
  peer("sniproxy", (place) => {
    const file = findProgram("sniproxy");
    return { file, args: ["-f", "-c", fill("sniproxy.conf", "sniproxy.conf", place, { USER: asRoot("user root") })] };
  }),
];

function peer(name: string, prepare: (place: Place) => Command): Contender {
  return { name, kind: "peer", loads: LOAD_NAMES, prepare };
}

function nginx(name: string, tuning: string): Contender {
  return peer(name, (place) => {
    const file = findProgram("nginx");
    const values = { MODULE: nginxModule(file), USER: asRoot("user root;"), TUNING: tuning };
    const configuration = fill("nginx.conf", "nginx.conf", place, values);
    return { file, args: ["-p", place.directory, "-e", "stderr", "-c", configuration] };
  });
}

function haproxy(name: string, tuning: string): Contender {
  return peer(name, (place) => {
    const file = findProgram("haproxy");
    return { file, args: ["-db", "-f", fill("haproxy.cfg", "haproxy.cfg", place, { TUNING: tuning })] };
  });
}

/** A line for the superuser alone: these programs would change to a user who cannot read the bench's directory. */
function asRoot(line: string): string {
  return process.getuid?.() === 0 ? line : "";
}

/** Writes a configuration from its template; returns its path. */
function fill(template: string, name: string, place: Place, values: Readonly<Record<string, string>>): string {
  const all: Readonly<Record<string, string>> = {
    PORT: String(place.port),
    ORIGIN: String(place.originPort),
    DIRECTORY: place.directory,
    NAME: SERVER_NAME,
    NAME_PATTERN: SERVER_NAME.replaceAll(".", "\\."),
    ...values,
  };
  // A comment may name a value; comments are not filled in.
  const lines = readFileSync(join(import.meta.dirname, "peers", template), "utf8").split("\n");
  const filled = lines.map((line) =>
    line.startsWith("#") ? line : line.replace(/\{\{(\w+)\}\}/g, (_, key: string) => all[key] ?? ""),
  );
  const path = join(place.directory, name);
  writeFileSync(path, filled.join("\n"));
  return path;
}
