/** Probes against real servers: connects, handshakes, certificates and answers, the same on every runtime. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import tls from "node:tls";
import { createAuthority } from "../../adapters/demo/certificates.ts";
import { createHost } from "../../adapters/host.ts";
import { runtimeName } from "../../adapters/select.ts";
import type { Endpoint } from "../../src/address.ts";
import type { Certificate, ProbeRequest, ProbeResult } from "../../src/probe.ts";

const { probe } = createHost();
const SHOP = "shop.example.test";
const authority = createAuthority("probe test CA");
const servers: net.Server[] = [];
const sockets = new Set<net.Socket>();

after(() => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

async function listen(server: net.Server, path?: string): Promise<Endpoint> {
  servers.push(server);
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    if (path === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(path, resolve);
  });
  const bound = server.address();
  return typeof bound === "object" && bound !== null
    ? { kind: "tcp", ip: "127.0.0.1", port: bound.port }
    : { kind: "unix", path: path ?? "" };
}

function tlsServer(leaf = authority.leaf(SHOP)): tls.Server {
  const server = tls.createServer({ cert: leaf.certificate, key: leaf.key }, (socket) => {
    socket.on("error", () => {});
    socket.resume();
  });
  server.on("tlsClientError", () => {});
  return server;
}

/** The name that the next client asks for. */
function nextName(server: tls.Server): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once("secureConnection", (socket) => {
      const { servername } = socket as { servername?: unknown };
      resolve(typeof servername === "string" ? servername : undefined);
    });
  });
}

function run(request: Partial<ProbeRequest> & { readonly endpoint: Endpoint }): Promise<ProbeResult> {
  return new Promise((resolve) => probe({ timeout: 5_000, ...request }, resolve));
}

async function certificateFor(endpoint: Endpoint, serverName: string | undefined): Promise<Certificate> {
  const result = await run({ endpoint, tls: { serverName } });
  assert.ok(result.ok, JSON.stringify(result));
  assert.ok(result.certificate);
  return result.certificate;
}

async function failure(request: Partial<ProbeRequest> & { readonly endpoint: Endpoint }): Promise<string> {
  const result = await run(request);
  assert.ok(!result.ok, "it went well");
  return `${result.stage} ${result.error.code}`;
}

describe("connect", () => {
  test("to a port, and to a path", async () => {
    const directory = mkdtempSync(join(tmpdir(), "certless-"));
    after(() => rmSync(directory, { recursive: true, force: true }));
    for (const endpoint of [await listen(net.createServer()), await listen(net.createServer(), join(directory, "s"))]) {
      const result = await run({ endpoint });
      assert.ok(result.ok && result.duration < 5_000);
      assert.equal(result.certificate, undefined);
    }
  });

  test("from a local address of one's own", async () => {
    const server = net.createServer();
    const from = new Promise((resolve) => server.once("connection", (socket) => resolve(socket.remoteAddress)));
    await run({ endpoint: await listen(server), bind: ["2001:db8::1", "127.0.0.3"] });
    assert.equal(await from, "127.0.0.3");
  });

  test("refused, and a socket that is not there", async () => {
    const server = net.createServer();
    const endpoint = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await failure({ endpoint }), "connect ECONNREFUSED");
    assert.match(await failure({ endpoint: { kind: "unix", path: "/nowhere/certless" } }), /^connect E[A-Z]+$/);
  });

  test("given up, it tells nothing, and the server sees an end", async () => {
    const server = net.createServer();
    const ended = new Promise<void>((resolve) =>
      server.on("connection", (socket) => socket.resume().on("close", () => resolve())),
    );
    const endpoint = await listen(server);
    const connected = new Promise<void>((resolve) => server.once("connection", () => resolve()));
    const exchange = { send: new Uint8Array(1), received: () => true };
    const cancel = probe({ endpoint, timeout: 5_000, exchange }, () => assert.fail("it was given up"));
    await connected;
    cancel();
    await ended;
  });
});

describe("certificate", () => {
  test("whose it is, from whom, and until when", async () => {
    const server = tlsServer(authority.leaf(SHOP, "*.example.org", "192.0.2.1"));
    const asked = nextName(server);
    const certificate = await certificateFor(await listen(server), SHOP);
    assert.equal(certificate.subject, SHOP);
    assert.equal(certificate.issuer, "probe test CA");
    assert.deepEqual(certificate.names, [SHOP, "*.example.org", "192.0.2.1"]);
    assert.match(certificate.fingerprint, /^[0-9a-f]{64}$/);
    assert.equal(certificate.mismatch, undefined);
    const days = (certificate.notAfter - Date.now()) / 86_400_000;
    assert.ok(days > 6 && days < 7, `${days} days`);
    assert.ok(certificate.notBefore < Date.now());
    assert.equal(await asked, SHOP);
  });

  test("names it is for and not for, wildcards as RFC 9525 has them", async () => {
    const endpoint = await listen(tlsServer(authority.leaf("a.test", "*.b.test")));
    const mismatch = async (name: string) => (await certificateFor(endpoint, name)).mismatch;
    assert.equal(await mismatch("a.test"), undefined);
    assert.equal(await mismatch("x.b.test"), undefined);
    for (const name of ["c.test", "b.test", "x.y.b.test"]) {
      assert.equal(await mismatch(name), "it is for a.test, *.b.test", name);
    }
  });

  test("an authority that nobody knows is said to be so, each time anew", async () => {
    const endpoint = await listen(tlsServer());
    for (let turn = 0; turn < 3; turn++) {
      assert.match((await certificateFor(endpoint, SHOP)).untrusted ?? "", /^[A-Z_]+$/);
    }
  });

  test("one that was replaced meanwhile is seen: no session is resumed", async () => {
    const server = tlsServer();
    const endpoint = await listen(server);
    const first = await certificateFor(endpoint, SHOP);
    const leaf = createAuthority("another CA").leaf(SHOP);
    server.setSecureContext({ cert: leaf.certificate, key: leaf.key });
    const second = await certificateFor(endpoint, SHOP);
    assert.deepEqual([first.issuer, second.issuer], ["probe test CA", "another CA"]);
    assert.notEqual(first.fingerprint, second.fingerprint);
  });

  test("closely: HTTP/2 is offered, and said to be chosen or not; otherwise nothing is offered", async () => {
    const leaf = authority.leaf(SHOP);
    const offered: (readonly string[])[] = [];
    const server = (choice: string | undefined): tls.Server =>
      tls.createServer(
        {
          cert: leaf.certificate,
          key: leaf.key,
          ...(choice !== undefined && {
            ALPNCallback: ({ protocols }) => {
              offered.push(protocols);
              return choice;
            },
          }),
        },
        (socket) => socket.on("error", () => {}).resume(),
      );
    const ask = async (choice: string | undefined, closely: boolean): Promise<boolean | undefined> => {
      const result = await run({ endpoint: await listen(server(choice)), tls: { serverName: SHOP, closely } });
      assert.ok(result.ok, JSON.stringify(result));
      return result.multiplexes;
    };
    assert.equal(await ask(undefined, true), false);
    assert.equal(await ask(undefined, false), undefined);
    // Bun's servers choose by a list alone.
    if (runtimeName() === "bun") return;
    assert.equal(await ask("h2", true), true);
    assert.equal(await ask("http/1.1", true), false);
    assert.deepEqual(offered, [
      ["h2", "http/1.1"],
      ["h2", "http/1.1"],
    ]);
  });

  test("of many names the first ones are read, and more of them closely", async () => {
    const others = Array.from({ length: 60 }, (_, index) => `n${index}.example.test`);
    const endpoint = await listen(tlsServer(authority.leaf(SHOP, ...others)));
    const count = async (closely: boolean): Promise<number> => {
      const result = await run({ endpoint, tls: { serverName: SHOP, closely } });
      return result.ok ? (result.certificate?.names.length ?? 0) : 0;
    };
    assert.deepEqual([await count(false), await count(true)], [20, 61]);
  });

  test("without a name, no name is sent and none is looked for", async () => {
    const server = tlsServer();
    const asked = nextName(server);
    assert.equal((await certificateFor(await listen(server), undefined)).mismatch, undefined);
    assert.equal(await asked, undefined);
  });

  test("behind a PROXY header", async () => {
    const inner = await listen(tlsServer());
    let got = "";
    const outer = net.createServer((client) => {
      const server = net.connect(inner.kind === "tcp" ? inner.port : 0, "127.0.0.1");
      sockets.add(server);
      server.on("error", () => {});
      client.on("data", (bytes: Uint8Array) => {
        const skip = Math.max(0, Math.min(bytes.length, 15 - got.length));
        got += Buffer.from(bytes.subarray(0, skip)).toString();
        server.write(bytes.subarray(skip));
      });
      server.on("data", (bytes: Uint8Array) => client.write(bytes));
      client.on("end", () => server.end());
    });
    const prefix = Buffer.from("PROXY UNKNOWN\r\n");
    const result = await run({ endpoint: await listen(outer), prefix, tls: { serverName: SHOP } });
    assert.ok(result.ok && result.certificate?.subject === SHOP);
    assert.equal(got, "PROXY UNKNOWN\r\n");
  });
});

describe("handshakes that fail", () => {
  test("a server that speaks something else, that says nothing, that closes", async () => {
    const wrong = await listen(net.createServer((socket) => socket.on("data", () => socket.write("220 hello\r\n"))));
    assert.match(await failure({ endpoint: wrong, tls: { serverName: SHOP } }), /^handshake E/);
    const mute = await listen(net.createServer());
    const began = performance.now();
    assert.equal(await failure({ endpoint: mute, timeout: 200, tls: { serverName: SHOP } }), "handshake ETIMEDOUT");
    assert.ok(performance.now() - began < 5_000, "the timeout");
    const closing = await listen(net.createServer((socket) => socket.destroy()));
    assert.match(await failure({ endpoint: closing, tls: { serverName: SHOP } }), /^handshake E/);
  });
});

describe("exchange", () => {
  test("what is sent arrives, what comes is heard until it is enough", async () => {
    let asked = "";
    const server = net.createServer((socket) =>
      socket.on("data", (bytes: Uint8Array) => {
        asked += Buffer.from(bytes).toString();
        if (!asked.endsWith("?")) return;
        socket.write("one");
        socket.write("two");
      }),
    );
    let heard = "";
    const received = (bytes: Uint8Array): boolean => {
      heard += Buffer.from(bytes).toString();
      return heard === "onetwo";
    };
    const result = await run({ endpoint: await listen(server), exchange: { send: Buffer.from("who?"), received } });
    assert.ok(result.ok);
    assert.deepEqual([asked, heard], ["who?", "onetwo"]);
  });

  test("a server that ends, and one that never says enough", async () => {
    const exchange = { send: Buffer.from("?"), received: () => false };
    const ending = await listen(net.createServer((socket) => socket.on("data", () => socket.end("no"))));
    assert.equal(await failure({ endpoint: ending, exchange }), "exchange ECONNRESET");
    const mute = await listen(net.createServer());
    assert.equal(await failure({ endpoint: mute, timeout: 200, exchange }), "exchange ETIMEDOUT");
  });

  test("what throws while it listens is this probe's failure", async () => {
    const server = await listen(net.createServer((socket) => socket.write("x")));
    const received = (): boolean => {
      throw new Error("a fault");
    };
    assert.match(await failure({ endpoint: server, exchange: { send: Buffer.from("?"), received } }), /^exchange E/);
  });
});
