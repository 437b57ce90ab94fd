/** Active checks: who is down gets no connections, who is back does; certificates are looked at, and traffic is not. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { before, test } from "node:test";
import tls from "node:tls";
import { createAuthority } from "../../adapters/demo/certificates.ts";
import { run } from "../clients/tools.ts";
import { commandOf, forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { greet, type Origin, refusing, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope, until } from "./harness/waiting.ts";

const OFTEN = { interval: "300ms", rise: 2, fall: 2 };
/** For what is not about failures: on a loaded machine a handshake may be late. */
const PATIENT = { ...OFTEN, fall: 100 };

const SHOP = "shop.example.test";
const FIRST = createAuthority("first CA");
const SECOND = createAuthority("second CA");

async function listen(scope: Scope, server: net.Server): Promise<string> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  scope.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

function tlsServer(name: string): tls.Server {
  const { certificate, key } = FIRST.leaf(name);
  const server = tls.createServer({ cert: certificate, key }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => socket.end(bytes));
  });
  return server.on("tlsClientError", () => {});
}

/** Greets, but has nothing but 500 for a request. */
function sick(text: string): (peer: Peer) => void {
  return (peer) => {
    peer.socket.once("data", (bytes: Buffer) => {
      peer.send(bytes.toString("latin1").startsWith("GET ") ? "HTTP/1.1 500 no\r\n\r\n" : text);
      peer.finish();
    });
  };
}

forEachCombination((combination) => {
  const scope = suiteScope();
  const dead = { listening: true, status: 200 };
  let a: Origin;
  let b: Origin;
  let ill: Origin;
  let one: Origin;
  let two: Origin;
  let held: net.Server;
  let heldClients = 0;
  let shop: tls.Server;
  let proxy: RunningProxy;

  before(async () => {
    a = await startOrigin(scope, { accept: greet("a") });
    b = await startOrigin(scope, { accept: greet("b") });
    ill = await startOrigin(scope, { accept: sick("ill") });
    one = await startOrigin(scope, { accept: greet("one") });
    two = await startOrigin(scope, { accept: greet("two") });
    // A check says nothing; who says something is a client.
    held = net.createServer((socket) => socket.once("data", () => heldClients++).on("error", () => {}));
    shop = tlsServer(SHOP);
    const web = http.createServer((_, response) => response.writeHead(dead.status).end());
    const heldAddress = await listen(scope, held);
    const servers = (...addresses: string[]) => ({ servers: addresses });
    const upstreams = {
      pair: { ...servers(a.address, b.address), healthCheck: { type: "tcp", ...OFTEN } },
      web: { ...servers(await listen(scope, web)), healthCheck: { type: "http", path: "/health", ...OFTEN } },
      ill: { ...servers(ill.address), healthCheck: { type: "http", ...OFTEN } },
      line: {
        servers: [one, two].map(({ address }) => ({ address, maxConnections: 1 })),
        queue: { size: 1, timeout: "60s" },
        healthCheck: { type: "tcp", ...OFTEN },
      },
      cut: { ...servers(heldAddress), healthCheck: { type: "tcp", onDown: "cut", ...OFTEN } },
      kept: { ...servers(heldAddress), healthCheck: { type: "tcp", ...OFTEN } },
      shop: { ...servers(await listen(scope, shop)), healthCheck: { type: "tls", ...PATIENT } },
      wrong: {
        ...servers(await listen(scope, tlsServer("other.example.test"))),
        healthCheck: { type: "tls", ...PATIENT },
      },
      strict: {
        ...servers(await listen(scope, tlsServer("strict.test"))),
        healthCheck: { type: "tls", verify: true, interval: "5s", timeout: "5s", fall: 1 },
      },
    };
    const routes = Object.fromEntries(Object.keys(upstreams).map((name) => [`${name}.test`, name]));
    proxy = await startProxy(scope, combination, {
      config: {
        // With two workers, what one thread learns has to reach both.
        ...(combination.adapter === "linux" ? { workers: 2 } : {}),
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { ...routes, [SHOP]: "shop" },
        upstreams,
      },
    });
  });

  async function ask(
    t: Scope,
    upstream: string,
  ): Promise<{ readonly text: string; readonly tried: readonly string[] }> {
    const client = await sendFirst(t, proxy.endpoint, helloFor(`${upstream}.test`));
    client.finish();
    await client.untilEnd();
    const record = await proxy.recordOf(client);
    assert.equal(record.reason, "ok");
    return { text: client.text, tried: record.upstream ?? [] };
  }

  test("a server that dies gets no connections, and some again once it is back", async (t) => {
    b.close();
    const address = b.address.replaceAll(".", "\\.");
    await proxy.waitForStderr(
      new RegExp(`^certless: upstream pair: ${address} is down after 2 failed checks: .+$`, "m"),
    );
    for (let turn = 0; turn < 6; turn++) {
      assert.deepEqual(await ask(t, "pair"), { text: "a", tried: [a.address] });
    }
    b = await startOrigin(scope, { address: b.address, accept: greet("b") });
    await proxy.waitForStderr(new RegExp(`^certless: upstream pair: ${address} is up again after 2 good checks`, "m"));
    const texts = new Set<string>();
    for (let turn = 0; turn < 8; turn++) texts.add((await ask(t, "pair")).text);
    assert.deepEqual([...texts].toSorted(), ["a", "b"]);
  });

  test("http: a status other than expected is a failure", async () => {
    dead.status = 500;
    await proxy.waitForStderr(
      /^certless: upstream web: .* is down after 2 failed checks: status 500, expected 200-399$/m,
    );
    dead.status = 204;
    await proxy.waitForStderr(/^certless: upstream web: .* is up again after 2 good checks/m);
  });

  test("all servers down: they are tried all the same", async (t) => {
    await proxy.waitForStderr(/^certless: upstream ill: .* is down after 2 failed checks: status 500/m);
    assert.deepEqual(await ask(t, "ill"), { text: "ill", tried: [ill.address] });
  });

  test("whoever waits for room is woken when a server is back", async (t) => {
    const { address } = two;
    two.close();
    await proxy.waitForStderr(/^certless: upstream line: .* is down after 2 failed checks/m);
    const join = (): Promise<Peer> => sendFirst(t, proxy.endpoint, helloFor("line.test"));
    const first = await join();
    await first.receive(1);
    assert.equal(first.text, "one");
    const clients = [await join(), await join()];
    // One of them has the only place in the line.
    const refused = await until("one who is told that the line is full", () =>
      clients.find((client) => proxy.log.recordsOf(client)[0]?.reason === "upstream_busy"),
    );
    two = await startOrigin(scope, { address, accept: greet("two") });
    const [waiting] = clients.filter((client) => client !== refused);
    await waiting!.receive(1);
    assert.deepEqual([first.closed, waiting!.text], [false, "two"]);
  });

  test("its connections are kept, or cut where that is asked for", async (t) => {
    const clients = await Promise.all(
      ["cut", "kept"].map((upstream) => sendFirst(t, proxy.endpoint, helloFor(`${upstream}.test`))),
    );
    const [cut, kept] = clients as [Peer, Peer];
    await until("both clients at the server", () => (heldClients === 2 ? true : undefined));
    // It stops listening; what it has accepted stays open.
    held.close();
    const record = await proxy.recordOf(cut);
    assert.equal(record.reason, "server_down");
    await proxy.waitForStderr(/^certless: upstream kept: .* is down/m);
    assert.ok(!kept.closed, "it was cut");
  });

  test("certificates: who soon expires, who is not for the name, who has a new issuer", async () => {
    await proxy.waitForStderr(
      /^certless: upstream shop: \S+: the certificate for shop\.example\.test expires in 6 days \(/m,
    );
    await proxy.waitForStderr(
      /^certless: upstream wrong: \S+: the certificate does not fit wrong\.test: it is for other/m,
    );
    await proxy.waitForStderr(
      /^certless: upstream strict: \S+ is down after 1 failed check: the certificate is not trusted/m,
    );
    const { certificate, key } = SECOND.leaf(SHOP);
    shop.setSecureContext({ cert: certificate, key });
    await proxy.waitForStderr(
      /certificate for shop\.example\.test now comes from "second CA", before from "first CA"$/m,
    );
    const told = proxy.stderr.match(/^.*certificate for shop\.example\.test expires.*$/gm);
    assert.equal(told?.length, 1, "told again and again");
  });

  test("a client's own handshake is with the server, and nobody else", async (t) => {
    const socket = tls.connect({ host: "127.0.0.1", port: proxy.port, servername: SHOP, ca: SECOND.certificate });
    t.after(() => socket.destroy());
    socket.write("through");
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer.toString(), "through");
    assert.ok(socket.authorized);
  });

  test("certless probe: a table, and its exit code", async (t) => {
    const refused = await refusing(t);
    const config = (address: string, healthCheck: unknown) =>
      JSON.stringify({
        listeners: [{ address: "127.0.0.1:1" }],
        routes: { [SHOP]: "shop" },
        upstreams: { shop: { servers: [address], healthCheck }, raw: { servers: [a.address] } },
      });
    const probe = (address: string, env: Record<string, string> = {}, healthCheck: unknown = "tls") => {
      const [file, args] = commandOf(combination, "adapters/main.ts");
      return run(file, [...args, "probe", "-"], { input: config(address, healthCheck), env });
    };
    const shopAddress = `127.0.0.1:${(shop.address() as net.AddressInfo).port}`;
    const well = await probe(shopAddress);
    assert.match(
      well.out,
      /^shop +127\.0\.0\.1:\d+ +up +[\d.]+ ms +shop\.example\.test: 6 days left .*by second CA, not trusted/m,
    );
    assert.match(well.out, /^raw +127\.0\.0\.1:\d+ +up +[\d.]+ ms$/m);
    assert.equal(well.code, 0, well.err);
    const ca = path.join(temporaryDirectory(t), "ca.pem");
    writeFileSync(ca, SECOND.certificate);
    const trusted = await probe(shopAddress, { NODE_EXTRA_CA_CERTS: ca }, { type: "tls", verify: true });
    assert.match(trusted.out, /^shop .* by second CA$/m);
    assert.equal(trusted.code, 0, trusted.err);
    const bad = await probe(refused);
    assert.match(bad.out, /^shop +127\.0\.0\.1:\d+ +down +[\d.]+ ms +connection refused$/m);
    assert.equal(bad.code, 1);
  });
});
