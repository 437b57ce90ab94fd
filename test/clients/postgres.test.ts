/** A real PostgreSQL server with TLS, and psql through the proxy with its own certificate checks on. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, suiteScope, until } from "../conformance/harness/waiting.ts";
import {
  type Certificates,
  freeEndpoint,
  makeCertificates,
  needsPrograms,
  run,
  startServer,
  succeed,
} from "./tools.ts";

const NAME = "db.example.test";
const QUERY = "select ssl, current_user from pg_stat_ssl where pid = pg_backend_pid()";

/** Debian keeps the server's programs out of the PATH, one directory for each version. */
function serverPrograms(): string | undefined {
  try {
    const versions = readdirSync("/usr/lib/postgresql").sort((a, b) => Number(a) - Number(b));
    const newest = versions.at(-1);
    return newest === undefined ? undefined : join("/usr/lib/postgresql", newest, "bin");
  } catch {
    return undefined;
  }
}

const PROGRAMS = serverPrograms();
const NEEDS =
  PROGRAMS === undefined ? { skip: "not installed: the PostgreSQL server" } : needsPrograms("psql", "setpriv");

/** The server refuses to be root: then it is the user that Debian made for it. */
function asServer(program: string, args: readonly string[]): readonly [string, string[]] {
  const path = join(PROGRAMS ?? "", program);
  if (process.getuid?.() !== 0) return [path, [...args]];
  return ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", path, ...args]];
}

function giveToServer(path: string): void {
  if (process.getuid?.() !== 0) return;
  const id = (option: string): number => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
  chownSync(path, id("-u"), id("-g"));
}

/** @returns its `IP:port`. */
async function startPostgres(scope: Scope, certificates: Certificates): Promise<string> {
  const directory = temporaryDirectory(scope);
  giveToServer(directory);
  const data = join(directory, "data");
  await succeed(...asServer("initdb", ["-D", data, "-U", "tester", "-A", "trust", "--locale=C", "--no-sync"]));
  for (const [index, file] of certificates.server(NAME).entries()) {
    const copy = join(data, ["server.crt", "server.key"][index] ?? "");
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    giveToServer(copy);
  }
  const { host, port } = await freeEndpoint();
  const settings = [
    `listen_addresses=${host}`,
    `port=${port}`,
    `unix_socket_directories=${directory}`,
    "ssl=on",
    "fsync=off",
  ];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  await startServer(scope, ...asServer("postgres", args), [`${host}:${port}`]);
  await until("the server to take queries", async () => {
    const { code } = await run("psql", [
      `host=${directory} port=${port} user=tester dbname=postgres`,
      "-c",
      "select 1",
    ]);
    return code === 0 ? true : undefined;
  });
  return `${host}:${port}`;
}

describe("PostgreSQL", NEEDS, () => {
  const shared = suiteScope();
  const behind = NEEDS.skip
    ? undefined
    : (async () => {
        const certificates = makeCertificates(shared);
        return { certificates, server: await startPostgres(shared, certificates) };
      })();

  forEachCombination((combination) => {
    const scope = suiteScope();
    const stage =
      behind &&
      (async () => {
        const { certificates, server } = await behind;
        const proxy = await startProxy(scope, combination, {
          config: {
            listeners: [
              { address: "127.0.0.1:0", protocol: "postgres" },
              { address: "127.0.0.1:0", protocol: "any" },
            ],
            routes: { [NAME]: server },
          },
        });
        return { certificates, proxy };
      })();

    const psql = async (host: string, sslmode: string, listener = 0) => {
      const { certificates, proxy } = await stage!;
      const port = proxy.endpoints[listener]?.split(":").at(-1);
      const parameters = `host=${host} hostaddr=127.0.0.1 port=${port} user=tester dbname=postgres connect_timeout=20`;
      return await run("psql", [`${parameters} sslmode=${sslmode} sslrootcert=${certificates.caPath}`, "-XAtc", QUERY]);
    };

    for (const sslmode of ["verify-full", "require", "prefer"]) {
      test(`psql sslmode=${sslmode}`, async () => {
        const { code, out, err } = await psql(NAME, sslmode);
        assert.equal(code, 0, err);
        assert.equal(out, "t|tester\n");
      });
    }

    test("psql on a listener for any protocol", async () => {
      const { out, err } = await psql(NAME, "verify-full", 1);
      assert.equal(out, "t|tester\n", err);
    });

    test("psql sees why it is refused: without TLS, and by a name that no route holds", async () => {
      const plain = await psql(NAME, "disable");
      assert.equal(plain.code, 2);
      assert.match(plain.err, /FATAL: .*a connection without TLS names no server/);
      assert.match(plain.err, /sslmode=require/);
      const unknown = await psql("other.example.test", "require");
      assert.equal(unknown.code, 2);
      assert.match(unknown.err, /unrecognized name/);
    });
  });
});
