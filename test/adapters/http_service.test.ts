import assert from "node:assert/strict";
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { requestHttp } from "../../adapters/host/http_request.ts";
import { HTTP_BOUNDS, type HttpBounds, serveHttp } from "../../adapters/host/http_service.ts";
import type { HttpRequest, HttpService } from "../../src/http_service.ts";

const FREE_PORT = { kind: "tcp", ip: "127.0.0.1", port: 0 } as const;

interface Served {
  readonly service: HttpService;
  readonly port: number;
  readonly asked: HttpRequest[];
}

async function served(t: TestContext, bounds: Partial<HttpBounds> = {}, body?: string): Promise<Served> {
  const asked: HttpRequest[] = [];
  const service = await serveHttp(
    FREE_PORT,
    {
      async answer(request) {
        asked.push(request);
        return {
          status: 200,
          headers: [["X-Said", "yes"]],
          body: body ?? `${request.method} ${request.target} ${request.body}`,
        };
      },
      refuse: (status, reason) => ({ status, headers: [["X-Said", "no"]], body: reason }),
    },
    { ...HTTP_BOUNDS, ...bounds },
  );
  t.after(() => service.close());
  return { service, port: service.endpoint.kind === "tcp" ? service.endpoint.port : 0, asked };
}

/** Sends `text` and gives all that comes back until the connection is closed. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    let said = "";
    socket.on("data", (bytes) => {
      said += bytes.toString("latin1");
    });
    // A reset may overtake the answer: what was said counts.
    socket.on("error", () => {});
    socket.on("close", () => resolve(said));
    // Whoever is told that it is over goes.
    socket.on("end", () => socket.end());
    setTimeout(() => reject(new Error(`the connection stays open: ${JSON.stringify(said)}`)), 20_000).unref();
  });
}

const get = (target: string, ...fields: string[]): string =>
  `${[`GET ${target} HTTP/1.1`, "Host: localhost", ...fields].join("\r\n")}\r\n\r\n`;

/** Bun tells of a connection only when it has asked. */
const SEES_SILENT = process.versions.bun === undefined;
const UNSEEN = SEES_SILENT ? false : "Bun does not tell of connections that say nothing";

describe("HTTP service", () => {
  test("answers one request a connection", async (t) => {
    const { port, asked } = await served(t);
    const said = await exchange(port, get("/a?b=%00") + get("/second"));
    assert.match(said, /^HTTP\/1\.1 200 /);
    assert.match(said, /^x-said: yes\r$/im);
    assert.match(said, /^connection: close\r$/im);
    assert.ok(said.endsWith("\r\n\r\nGET /a?b=%00 "), said);
    assert.equal(asked.length, 1);
  });

  test("HEAD has the length and no body", async (t) => {
    const { port } = await served(t);
    const said = await exchange(port, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(said, /^content-length: 7\r$/im);
    assert.ok(said.endsWith("\r\n\r\n"), said);
  });

  test("a field that comes twice is both of its values", async (t) => {
    const { port, asked } = await served(t);
    await exchange(port, "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\n\r\n");
    assert.equal(asked[0]?.headers.get("x-a"), "1, 2");
  });

  test("a body of its bound is read, a longer one is refused", async (t) => {
    const { port } = await served(t, { body: 1_000 });
    const post = (length: number): string =>
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
    assert.match(await exchange(port, post(1_000)), /^HTTP\/1\.1 200 /);
    assert.match(await exchange(port, post(1_001)), /^HTTP\/1\.1 413 /);
    const chunk = `${"x".repeat(0x400)}\r\n`;
    const chunked = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n${chunk}400\r\n${chunk}0\r\n\r\n`;
    assert.match(await exchange(port, chunked), /^HTTP\/1\.1 413 /);
  });

  test("what is no request, or has too long a head, is told so", async (t) => {
    const { port, asked } = await served(t);
    for (const [text, status] of [
      [get("/", `X-Long: ${"x".repeat(HTTP_BOUNDS.head)}`), 431],
      ["\u0016\u0003\u0001\u0002\u0000\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
      [get("/\u0000"), 400],
      ["GET / HTTP/1.1\r\n\r\n", 400],
      ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
    ] as const) {
      const said = await exchange(port, text);
      assert.match(said, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(text.slice(0, 40)));
    }
    assert.equal(asked.length, 0);
  });

  test("nobody keeps a place by being slow", async (t) => {
    const { port } = await served(t, { headTime: 500, requestTime: 800, connectionTime: 3_000 });
    const slow = ["", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"];
    for (const said of await Promise.all(slow.map((text) => exchange(port, text)))) {
      assert.match(said, /^(?:$|HTTP\/1\.1 408 )/);
    }
  });

  test("a crowd that says nothing keeps nobody out", { skip: UNSEEN }, async (t) => {
    const { port } = await served(t, { connections: 8 });
    const crowd = await Promise.all(Array.from({ length: 100 }, () => opened(t, port)));
    assert.match(await exchange(port, get("/")), /^HTTP\/1\.1 200 /);
    // The socket of the request above has taken one's place.
    const gone = crowd.filter((socket) => socket.destroyed || socket.readableEnded).length;
    assert.ok(gone >= 92, `${gone} of the crowd were let go`);
  });

  test("a crowd that does not end its requests keeps nobody out", async (t) => {
    const { port } = await served(t, { connections: 8 });
    const crowd = await Promise.all(Array.from({ length: 20 }, () => opened(t, port)));
    for (const socket of crowd) socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
    await delay(300);
    assert.match(await exchange(port, get("/")), /^HTTP\/1\.1 200 /);
  });

  test("a crowd that does not receive its answers keeps nobody out", async (t) => {
    const long = "x".repeat(8_000_000);
    const { port } = await served(t, { connections: 8 }, long);
    const crowd = await Promise.all(Array.from({ length: 20 }, () => opened(t, port)));
    for (const socket of crowd) {
      socket.pause();
      socket.write(get("/"));
    }
    await delay(300);
    assert.ok((await exchange(port, get("/"))).endsWith(long));
  });

  test("closed, it lets nobody in, and those who have not asked go", { skip: UNSEEN }, async (t) => {
    const { service, port } = await served(t);
    const socket = await opened(t, port);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    service.close();
    await closed;
    await assert.rejects(requestHttp(question({ host: "127.0.0.1", port })), { code: "ECONNREFUSED" });
  });

  test("a port that is taken is an error of the system's", async (t) => {
    const { service } = await served(t);
    const nobody = { answer: () => Promise.reject(new Error()), refuse: () => ({ status: 1, headers: [], body: "" }) };
    await assert.rejects(serveHttp(service.endpoint, nobody), { code: "EADDRINUSE" });
  });

  test("a unix socket is for its own user, and takes a dead one's place", async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "certless-admin-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, "admin.sock");
    const options = {
      answer: async ({ target }: HttpRequest) => ({ status: 200, headers: [], body: target }),
      refuse: () => ({ status: 400, headers: [], body: "" }),
    };
    const service = await serveHttp({ kind: "unix", path }, options);
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    assert.deepEqual(await requestHttp({ ...question({ path }), target: "/x" }), { status: 200, body: "/x" });
    await assert.rejects(serveHttp({ kind: "unix", path }, options), { code: "EADDRINUSE" });
    service.close();
    const file = join(directory, "file");
    writeFileSync(file, "");
    await assert.rejects(serveHttp({ kind: "unix", path: file }, options), { code: "EADDRINUSE" });
  });
});

describe("HTTP request", () => {
  test("sends a body, and takes an answer of any status", async (t) => {
    const { port, asked } = await served(t);
    const answer = await requestHttp({ ...question({ host: "127.0.0.1", port }), method: "POST", body: "ä" });
    assert.deepEqual(answer, { status: 200, body: "POST / ä" });
    assert.equal(asked[0]?.headers.get("x-own"), "1");
  });

  test("waits no longer than it is told to", async (t) => {
    const service = await serveHttp(FREE_PORT, {
      answer: () => new Promise(() => {}),
      refuse: () => ({ status: 1, headers: [], body: "" }),
    });
    t.after(() => service.close());
    const port = service.endpoint.kind === "tcp" ? service.endpoint.port : 0;
    await assert.rejects(requestHttp({ ...question({ host: "127.0.0.1", port }), timeout: 200 }), {
      code: "ETIMEDOUT",
    });
  });
});

function question(server: Parameters<typeof requestHttp>[0]["server"]): Parameters<typeof requestHttp>[0] {
  return {
    server,
    method: "GET",
    target: "/",
    headers: { Host: "localhost", "X-Own": "1" },
    body: undefined,
    timeout: 10_000,
  };
}

function opened(t: TestContext, port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", () => {});
    socket.on("data", () => {});
    t.after(() => socket.destroy());
  });
}
