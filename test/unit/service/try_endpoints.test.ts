import assert from "node:assert/strict";
import { test } from "node:test";
import type { Adapter } from "../../../src/adapter.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../../src/address.ts";
import { ListenError } from "../../../src/proxy/listen_error.ts";
import { InheritedSockets } from "../../../src/service/inherited_sockets.ts";
import { tryEndpoints } from "../../../src/service/try_endpoints.ts";

const endpoints = (...texts: string[]) => texts.map((text) => parseEndpoint(text, { allowPortZero: true })!);

class Ports {
  readonly opened: string[] = [];
  closed = 0;
  readonly #taken: string;

  constructor(taken = "") {
    this.#taken = taken;
  }

  async listen(endpoint: Endpoint): ReturnType<Adapter["listen"]> {
    const text = formatEndpoint(endpoint);
    if (text === this.#taken) throw { code: "EADDRINUSE", message: "in use" };
    this.opened.push(text);
    const bound = endpoint.kind === "tcp" && endpoint.port === 0 ? { ...endpoint, port: 4242 } : endpoint;
    return { endpoint: bound, pause() {}, resume() {}, close: () => void this.closed++ };
  }
}

const system = { duplicates: true, duplicate: () => 9, closeDescriptor() {} };
const capable = { name: "test", capabilities: { adopts: true } as Adapter["capabilities"] };

test("ports are opened once and given back; a path is left alone", async () => {
  const ports = new Ports();
  const found = await tryEndpoints(ports, endpoints("127.0.0.1:0", "unix:/run/a", "127.0.0.1:443"));
  assert.deepEqual(found.map(formatEndpoint), ["127.0.0.1:4242", "unix:/run/a", "127.0.0.1:443"]);
  assert.equal(ports.closed, 2);
});

test("a port that another has is told, and the others are given back", async () => {
  const ports = new Ports("127.0.0.1:443");
  await assert.rejects(
    tryEndpoints(ports, endpoints("127.0.0.1:80", "127.0.0.1:443")),
    (error) => error instanceof ListenError && error.code === "EADDRINUSE",
  );
  assert.equal(ports.closed, 1);
});

test("nothing is opened where another process accepts", async () => {
  const configured = endpoints("127.0.0.1:443", "127.0.0.1:0");
  const sockets = [{ endpoint: configured[0]!, descriptor: 3 }];
  const passed = new InheritedSockets(
    configured.map((endpoint) => ({ endpoint })),
    { from: "systemd", sockets, system, join: false },
    capable,
  );
  const ports = new Ports();
  await tryEndpoints(ports, configured, passed);
  assert.deepEqual(ports.opened, ["127.0.0.1:0"]);
});
