/**
 * The house rules, checked: who may import whom, what the pure core may not touch, sizes, one version, one
 * list of tasks. A message says what is wrong, where, and where the thing belongs.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import packageJson from "../package.json" with { type: "json" };
import {
  functionsOf,
  hasBehaviour,
  importsOf,
  lineAt,
  readSource,
  readText,
  repositoryFiles,
  type Source,
} from "./runner/sources.ts";
import { binary, ROOT } from "./runner/suites.ts";

/** What the rules read of an entry of package-lock.json. */
interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Ring {
  readonly name: string;
  /** Files and folders of `src/`. */
  readonly rooms: readonly string[];
  /** Names of the rings whose rooms it may import, besides its own folder and the contracts. */
  readonly imports: readonly string[];
  /** Rooms it may import types from. */
  readonly types?: readonly string[];
}

/** The rings, from the inside out. A new room belongs in the lowest ring that has what it needs. */
const RINGS: readonly Ring[] = [
  {
    name: "leaf",
    rooms: ["bytes", "byte_cache", "errors", "reason", "remedy", "address", "cidr_set", "hostname", "shared_lock"],
    imports: ["leaf"],
  },
  { name: "wire", rooms: ["tls", "http", "proxy_protocol", "postgres", "dns"], imports: ["leaf"] },
  { name: "opening", rooms: ["opening"], imports: ["leaf", "wire"] },
  { name: "record", rooms: ["connection_record", "variables"], imports: ["leaf", "record"] },
  { name: "table", rooms: ["route_table"], imports: ["leaf"], types: ["config"] },
  {
    name: "policy",
    rooms: ["config", "router", "upstream", "names", "log", "limits"],
    imports: ["leaf", "record", "table"],
    types: ["config"],
  },
  {
    name: "machine",
    rooms: ["session", "deadlines", "health"],
    imports: ["leaf", "wire", "opening", "record", "table", "policy"],
  },
  { name: "numbers", rooms: ["metrics"], imports: ["leaf", "record"], types: ["config", "names", "health", "admin"] },
  { name: "driver", rooms: ["proxy"], imports: ["leaf", "wire", "record", "policy", "machine", "numbers"] },
  {
    name: "shell",
    rooms: ["cli", "admin", "doctor", "mod", "running", "config_file", "workers", "secrets", "service", "start_error"],
    imports: ["leaf", "wire", "record", "table", "policy", "machine", "numbers", "driver", "shell"],
  },
];

/** Types only, between the core and the outside world: anyone may import them. */
const CONTRACTS = ["adapter", "host", "probe", "http_service", "system"];
/** What an adapter may know of the core besides the contracts. */
const KNOWN_TO_ADAPTERS = ["address", "errors"];
/** What the program's own files may import beyond that: they put it together. */
const PROGRAM: Readonly<Record<string, readonly string[]>> = {
  "adapters/main.ts": ["cli", "mod"],
  "adapters/worker.ts": ["workers"],
  "adapters/host/dns_lookup.ts": ["dns"],
  "adapters/host/server_resolver.ts": ["dns"],
};
const PROGRAM_TYPES: Readonly<Record<string, readonly string[]>> = {
  "adapters/select.ts": ["cli"],
  "adapters/demo/demo.ts": ["cli"],
};
/** npm packages and the one room that may import each. */
const PACKAGES: Readonly<Record<string, string>> = { yaml: "src/config", zod: "src/config", asn1js: "adapters/demo" };

/** Rings that see bytes off the wire; a leaf has only what it was given, and its own tables. */
const HANDLES_WIRE_BYTES = ["wire", "machine", "driver"];

/** What the pure core may not touch, and what it uses instead. `types: []` in tsconfig.src.json finds the rest. */
const IMPURE: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bDate\.now\b|\bnew Date\(\)|\bDate\(\)|\bperformance\./g, "the time is an argument, or Clock of src/adapter.ts"],
  [/\bMath\.random\b|\bcrypto\./g, "chance is an argument"],
  [/\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\(/g, "Clock.after of src/adapter.ts"],
  [/\bprocess\.[a-z]|\bDeno\.|\bBun\.|\bglobalThis\b|\bimport\.meta\b/g, "Host of src/host.ts, or an adapter"],
  [/\bconsole\./g, "Host.stdout and Host.stderr of src/host.ts"],
  [/\beval\(|\bnew Function\(/g, "code is not made from text"],
];

/** Source files, and folders with a slash at the end, whose tests stand elsewhere: each with where and why. */
const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  "src/cli/": "test/unit/cli/cli.test.ts gives every command its arguments through runCli; test/packaging runs demo",
  "src/running/":
    "mod.ts puts it together: test/conformance/reload.test.ts and test/packaging run it on each runtime; parts that decide something have tests of their own",
  "src/doctor/client_examination.ts": "it asks the world: test/clients/doctor.test.ts gives it one",
  "src/doctor/https_record.ts": "a name's records: test/unit/doctor/name_examination.test.ts",
  "src/doctor/proxy_passage.ts": "it needs a proxy that runs: test/clients/doctor.test.ts",
  "src/doctor/resolving.ts": "examinations ask by it: test/unit/doctor/name_examination.test.ts, examination.test.ts",
  "src/doctor/server_answers.ts": "examinations ask by it: test/unit/doctor/examination.test.ts",
  "src/doctor/position_graph.ts": "regexRisk decides by it: test/unit/doctor/regex_risk.test.ts",
  "src/doctor/regex_syntax.ts": "regexRisk reads by it: test/unit/doctor/regex_risk.test.ts",
  "src/doctor/way.ts": "examinations plan by it: test/clients/doctor.test.ts",
  "src/health/check_all.ts": "certless probe runs it: test/unit/cli/probe.test.ts",
  "src/admin/":
    "test/unit/admin/handler.test.ts and guard.test.ts ask it as a client would; test/conformance/admin.test.ts",
  "src/config/option_kinds.ts": "the options are made of them: test/unit/config/load.test.ts",
  "src/config/check_via.ts": "part of the check: test/unit/config/check_via.test.ts loads whole files",
  "src/config/include_options.ts": "part of the schema: test/unit/config/include.test.ts loads whole files",
  "src/config/kind_options.ts": "part of the schema: test/unit/config/kind_options.test.ts loads whole files",
  "src/config/proxy_header_options.ts": "part of the schema: test/unit/config/check_via.test.ts loads whole files",
  "src/config/resolver_options.ts": "part of the schema: test/unit/config/named_servers.test.ts",
  "src/config/upstream_options.ts": "part of the schema: test/unit/config/load.test.ts",
  "src/names/cached_name.ts": "NameCache keeps them: test/unit/names/name_cache.test.ts",
  "src/metrics/prometheus.ts": "MetricsStore renders by it: test/unit/metrics/metrics_store.test.ts reads it back",
  "src/health/upstream_health.ts":
    "the control plane puts it to work: test/unit/workers/upstream_watch.test.ts gives it members and a virtual time",
  "src/mod.ts": "test/packaging uses it as a library on each runtime; the command line and conformance run on it",
  "src/opening/proxy_opening.ts": "the openings through a proxy are some: test/unit/opening/",
  "src/postgres/error_response.ts": "ClientPrelude sends it: test/unit/postgres/client_prelude.test.ts reads it",
  "src/proxy/connection.ts":
    "ProxyServer owns every connection: test/unit/proxy/proxy_server.test.ts, test/conformance",
  "src/proxy/door.ts":
    "ProxyServer has one: test/unit/proxy/proxy_server.test.ts, test/unit/workers/data_plane.test.ts",
  "src/proxy/offered_server.ts": "Connection makes it: test/unit/proxy/proxy_server.test.ts, test/conformance",
  "src/proxy/listeners.ts": "ProxyServer opens them: test/unit/proxy/proxy_server.test.ts and reconfigure.test.ts",
  "src/proxy/open_endpoints.ts":
    "plane and workers ask it: test/unit/workers/control_plane.test.ts, test/conformance/reload.test.ts",
  "src/workers/control_worker.ts": "ControlPlane keeps them: test/unit/workers/control_plane.test.ts",
  "src/proxy/route_changes.ts": "ProxyServer asks it: test/unit/proxy/reconfigure.test.ts",
  "src/route_table/name_hash.ts": "Router finds by it what the builder has put in: test/unit/router.test.ts",
  "src/session/egress.ts": "Session goes out by it: test/unit/session/egress.test.ts",
  "src/session/proxy_header.ts": "Session sends it: test/unit/session/egress.test.ts",
  "src/session/via_plan.ts": "Session dials by it: test/unit/session/egress.test.ts",
  "src/session/first_message.ts": "Session feeds it: test/unit/session/session.test.ts",
  "src/session/forwarded_request.ts":
    "Session makes it: test/unit/session/session.test.ts; its gate: request_gate.test.ts",
  "src/session/loop_guard.ts": "Session keeps one: test/unit/session/session.test.ts, test/conformance/loop.test.ts",
  "src/session/preread.ts": "Session feeds it: test/unit/session/session.test.ts",
  "src/session/route_end.ts": "Session asks it: test/unit/session/session.test.ts, test/conformance/access.test.ts",
  "src/session/way_out.ts": "Session goes it: test/unit/session/session.test.ts, egress.test.ts",
  "src/session/rejection.ts": "Session sends its replies: test/unit/session/session.test.ts reads them",
  "src/tls/record.ts":
    "ClientHelloReader reads through it: test/unit/tls/client_hello.test.ts splits hellos over records",
};

/** What the page may know of the core besides types: pure, small, and the same words everywhere. */
const KNOWN_TO_PAGE = ["src/config/quote.ts", "src/reason.ts"];
/** How text could become markup or code. */
const MAKES_MARKUP =
  /\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|srcdoc|DOMParser|createContextualFragment|eval)\b|document\.write|new Function\b/g;

/** Hard caps, in lines; the budget (median and ninth decile) is printed, not enforced. */
const LONGEST_FILE = 400;
const LONGEST_FUNCTION = 80;

const files = repositoryFiles();
const sources = files.filter((path) => /^(src|adapters|page|bench|test)\/.*\.ts$/.test(path)).map(readSource);
const core = sources.filter(({ path }) => path.startsWith("src/"));
const wall = sources.filter(({ path }) => path.startsWith("adapters/"));
/** What runs in a browser. */
const page = sources.filter(({ path }) => path.startsWith("page/"));
const program = [...core, ...wall, ...page];

/** `src/tls/alert.ts` is in room `tls`, `src/router.ts` in `router`. */
function roomOf(path: string): string {
  return path.replace(/^src\//, "").replace(/\/.*$|\.ts$/, "");
}

function ringOf(room: string): Ring | undefined {
  return RINGS.find((ring) => ring.rooms.includes(room));
}

function none(faults: readonly string[]): void {
  assert.equal(faults.length, 0, `\n${faults.join("\n")}\n`);
}

function matches(source: Source, pattern: RegExp, message: (found: string) => string): string[] {
  return [...source.code.matchAll(pattern)].map(
    (found) => `${source.path}:${lineAt(source.code, found.index)}: ${message(found[0])}`,
  );
}

function importFault(source: Source, target: string, typeOnly: boolean): string | undefined {
  const from = roomOf(source.path);
  const to = roomOf(target);
  const [ring, targetRing] = [ringOf(from), ringOf(to)];
  if (from === to || CONTRACTS.includes(to)) return undefined;
  if (CONTRACTS.includes(from)) {
    return targetRing?.name === "leaf" && typeOnly
      ? undefined
      : `${source.path} is a contract: it may import types of the leaf ring, not ${target}`;
  }
  if (ring === undefined || targetRing === undefined) return undefined;
  if (ring.imports.includes(targetRing.name)) return undefined;
  if (typeOnly && ring.types?.includes(to)) return undefined;
  const may = [...ring.imports, ...(ring.types ?? []).map((room) => `types of ${room}/`)].join(", ");
  return `${source.path} (ring ${ring.name}) imports ${target} (ring ${targetRing.name}); it may import: its own folder, ${may}`;
}

describe("rings", () => {
  test("every file of src/ is in a room of the table", () => {
    const known = [...CONTRACTS, ...RINGS.flatMap((ring) => ring.rooms)];
    const lost = core.filter(({ path }) => !known.includes(roomOf(path)));
    none(
      lost.map(
        ({ path }) =>
          `${path} is in no ring: put it into a room of RINGS, or add the room to the lowest ring that fits`,
      ),
    );
  });

  test("src/ imports its own folder and lower rings only", () => {
    const faults = core.flatMap((source) =>
      importsOf(source).flatMap(({ specifier, path, typeOnly }) => {
        if (path === undefined) return [];
        if (!path.startsWith("src/")) return `${source.path} imports ${specifier}: src/ imports nothing outside src/`;
        return importFault(source, path, typeOnly) ?? [];
      }),
    );
    none(faults);
  });

  test("adapters import the contracts and what is known to adapters", () => {
    const faults = wall.flatMap((source) =>
      importsOf(source).flatMap(({ path, typeOnly }) => {
        if (path === undefined || !path.startsWith("src/")) return [];
        const also = [PROGRAM[source.path] ?? [], typeOnly ? (PROGRAM_TYPES[source.path] ?? []) : []].flat();
        if ([...CONTRACTS, ...KNOWN_TO_ADAPTERS, ...also].includes(roomOf(path))) return [];
        return `${source.path} imports ${path}: an adapter decides nothing; what it needs comes through src/adapter.ts or src/host.ts`;
      }),
    );
    none(faults);
  });

  test("the page imports types of the core, and makes no markup from text", () => {
    const faults = page.flatMap((source) => [
      ...importsOf(source).flatMap(({ specifier, path, typeOnly }) => {
        if (path === undefined) return `${source.path} imports ${specifier}: the page has no packages`;
        if (path.startsWith("page/") || KNOWN_TO_PAGE.includes(path) || (typeOnly && path.startsWith("src/")))
          return [];
        return `${source.path} imports ${path}: it may import types of src/, and ${KNOWN_TO_PAGE.join(", ")}`;
      }),
      ...matches(source, MAKES_MARKUP, (found) => `${found}: page/element.ts makes nodes from texts`),
    ]);
    none(faults);
  });

  test("an npm package is imported in one room, a node: module on the wall only", () => {
    const faults = program.flatMap((source) =>
      importsOf(source).flatMap(({ specifier, path }) => {
        if (path !== undefined) return [];
        const isCore = source.path.startsWith("src/");
        if (/^(node|bun):/.test(specifier)) {
          return isCore ? `${source.path} imports ${specifier}: src/ is pure, put it behind src/host.ts` : [];
        }
        const room = PACKAGES[specifier];
        if (room !== undefined && source.path.startsWith(`${room}/`)) return [];
        return `${source.path} imports the package ${specifier}: ${room === undefined ? "add it to PACKAGES with its one room" : `only ${room}/ may`}`;
      }),
    );
    none(faults);
  });
});

describe("the core is pure", () => {
  for (const [pattern, instead] of IMPURE) {
    test(`no ${pattern.source.replaceAll("\\b", "").replaceAll("\\", "").replaceAll("?:", "")}`, () => {
      none(core.flatMap((source) => matches(source, pattern, (found) => `${found}: ${instead}`)));
    });
  }

  test("only bytes.ts indexes wire bytes", () => {
    const handlers = core.filter(({ path }) => HANDLES_WIRE_BYTES.includes(ringOf(roomOf(path))?.name ?? ""));
    const faults = handlers.flatMap((source) => {
      const declared = source.code.matchAll(/(\w+)\??: Uint8Array\b|(?:const|let) (\w+) = new Uint8Array\b/g);
      const names = new Set([...declared].map((found) => found[1] ?? found[2] ?? ""));
      // A lookup table, by the usual spelling of a constant, is not off the wire.
      const tables = [...names].filter((name) => name === name.toUpperCase());
      const indexed = matches(source, /\b(\w+)\[(?!\])/g, (found) => found).filter((fault) => {
        const name = /: (\w+)\[$/.exec(fault)?.[1] ?? "";
        return names.has(name) && !tables.includes(name);
      });
      return [...indexed, ...matches(source, /\bDataView\b/g, (found) => found)];
    });
    none(faults.map((fault) => `${fault}: read and write through src/bytes.ts, which checks bounds`));
  });
});

describe("sizes", () => {
  const lengths = (numbers: number[]): string => {
    const sorted = numbers.toSorted((a, b) => a - b);
    const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
    return `median ${at(0.5)}, 90 % within ${at(0.9)}, longest ${at(1)} lines (${sorted.length})`;
  };
  const linesOf = ({ text }: Source): number => text.split("\n").length - 1;

  test(`no file over ${LONGEST_FILE} lines`, (t) => {
    t.diagnostic(`files: ${lengths(program.map(linesOf))}`);
    const long = program.filter((source) => linesOf(source) > LONGEST_FILE);
    none(long.map((source) => `${source.path} has ${linesOf(source)} lines: it holds more than one noun, split it`));
  });

  test(`no function over ${LONGEST_FUNCTION} lines`, (t) => {
    const all = program.flatMap((source) => functionsOf(source).map((size) => ({ ...size, path: source.path })));
    t.diagnostic(`functions: ${lengths(all.map((size) => size.lines))}`);
    const long = all.filter((size) => size.lines > LONGEST_FUNCTION);
    none(long.map(({ path, line, name, lines }) => `${path}:${line}: ${name} has ${lines} lines: split it`));
  });
});

describe("text", () => {
  test("every source file opens with a comment that says what it owns", () => {
    const bare = sources.filter(
      ({ path, text }) => !path.endsWith(".test.ts") && !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text),
    );
    none(bare.map(({ path }) => `${path}: open it with a comment: what it owns, what it must not do, the RFC section`));
  });

  test("no any outside the FFI seam", () => {
    const typed = sources.filter(({ path }) => !path.startsWith("adapters/linux/ffi"));
    none(typed.flatMap((source) => matches(source, /(?::|<|\bas) ?any\b/g, () => "any: use unknown, or the type")));
  });

  test("no machine's path and no registry's host", () => {
    // Spelled in halves, so that this file is not its own first fault.
    const foreign = new RegExp(
      [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["registry.np", "mjs"],
        ["deb.deb", "ian"],
      ]
        .map((half) => half.join(""))
        .join("|"),
      "g",
    );
    const faults = files.flatMap((path) => {
      const text = readText(path);
      return [...text.matchAll(foreign)].map((found) => `${path}:${lineAt(text, found.index)}: ${found[0]}`);
    });
    none(faults);
  });
});

describe("tests", () => {
  const unitTests = sources.filter(({ path }) => /^test\/unit\/.*\.test\.ts$/.test(path));
  const imported = new Set(
    sources
      .filter(({ path }) => path.startsWith("test/unit/"))
      .flatMap((source) => importsOf(source).flatMap(({ path, typeOnly }) => (typeOnly ? [] : (path ?? [])))),
  );

  test("every file of src/ that does something is imported by a unit test, or it says where else it is tested", () => {
    const untested = core.filter(
      (source) =>
        hasBehaviour(source) &&
        !imported.has(source.path) &&
        !Object.keys(TESTED_ELSEWHERE).some((path) => source.path.startsWith(path)),
    );
    none(
      untested.map(
        ({ path }) =>
          `${path}: write ${path.replace(/^src/, "test/unit").replace(/\.ts$/, ".test.ts")}, or name it in TESTED_ELSEWHERE`,
      ),
    );
  });

  test("test/unit mirrors src/: a test stands in the room of what it tests; no exception is out of date", () => {
    const homeless = unitTests.filter(({ path, text }) => {
      const folder = path.replace(/^test\/unit/, "src").replace(/\/[^/]*$/, "");
      return !importsOf({ path, text, code: text }).some((target) => target.path?.startsWith(`${folder}/`));
    });
    const stale = Object.keys(TESTED_ELSEWHERE).filter(
      (path) =>
        !core.some((source) => source.path.startsWith(path) && hasBehaviour(source) && !imported.has(source.path)),
    );
    none([
      ...homeless.map(({ path }) => `${path}: it imports nothing of the folder of src/ that it stands for`),
      ...stale.map((path) => `${path}: take it out of TESTED_ELSEWHERE`),
    ]);
  });

  test("nothing is left out by a forgotten only, or skipped where Deno would count it as passed", () => {
    const tests = sources.filter(({ path }) => path.endsWith(".test.ts"));
    const everywhere = tests.filter(({ path }) => /^test\/(?:unit|adapters)\//.test(path));
    none([
      ...tests.flatMap((source) => matches(source, /\b(?:test|describe|it)\.only\(/g, (found) => found)),
      ...everywhere.flatMap((source) => matches(source, /\bt\.skip\(/g, () => "use the option { skip: reason }")),
    ]);
  });
});

describe("one version, one list of tasks", () => {
  const denoJson = JSON.parse(readText("deno.json")) as { version?: string; tasks?: unknown };
  const packageLock = JSON.parse(readText("package-lock.json")) as {
    version: string;
    packages: Record<string, LockedPackage>;
  };

  test("package.json's version is everyone's", () => {
    assert.equal(denoJson.version, packageJson.version, "deno.json");
    assert.equal(packageLock.version, packageJson.version, "package-lock.json: run npm install");
    assert.equal(packageLock.packages[""]?.version, packageJson.version, "package-lock.json: run npm install");
    assert.ok(readText("CHANGELOG.md").includes(`\n## [${packageJson.version}]`), "CHANGELOG.md has no heading for it");
  });

  test("deno task reads the scripts of package.json, and deno.json has none to differ", () => {
    assert.equal(denoJson.tasks, undefined, "deno.json has tasks: put them into package.json's scripts");
    const listed = execFileSync(binary("deno"), ["task"], { cwd: ROOT, encoding: "utf8", stdio: "pipe" });
    for (const [name, script] of Object.entries(packageJson.scripts)) {
      assert.ok(listed.includes(name), `deno task does not list ${name}`);
      assert.ok(listed.includes(script), `deno task ${name} is not ${script}`);
    }
  });

  test("dependencies are pinned to one version each", () => {
    const all = Object.entries({ ...packageJson.dependencies, ...packageJson.devDependencies });
    none(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)).map(([name, version]) => `${name}: ${version}`));
  });

  test("the lock file is whole: every platform's package is in it, with its hash", () => {
    // npm silently leaves out an optional package that the registry at hand does not have, and `npm ci` then fails.
    const wanted = Object.values(packageLock.packages).flatMap((entry) =>
      Object.keys(entry.optionalDependencies ?? {}),
    );
    const lost = wanted.filter((name) => packageLock.packages[`node_modules/${name}`] === undefined);
    const bare = Object.entries(packageLock.packages).filter(
      ([path, entry]) => path !== "" && entry.integrity === undefined,
    );
    none([
      ...lost.map((name) => `${name} is not in package-lock.json: choose a version whose packages can all be had`),
      ...bare.map(([path]) => `${path} has no integrity in package-lock.json`),
    ]);
  });
});
