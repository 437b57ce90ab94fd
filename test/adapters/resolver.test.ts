/** Lookups by given DNS servers, against a server of ten lines, and by the system. */

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { promises as dns } from "node:dns";
import { once } from "node:events";
import net from "node:net";
import { describe, test } from "node:test";
import { createHost } from "../../adapters/host.ts";
import type { IoError } from "../../src/errors.ts";
import type { ResolvedAddresses, ResolveFailure, Resolver } from "../../src/host.ts";

const host = createHost();
const A = 1;
const AAAA = 28;
const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

interface Reply {
  readonly code: number;
  readonly records: readonly (readonly number[])[];
}

/** `undefined` is silence. */
type Answer = (name: string, type: number) => Reply | undefined;

function question(message: Uint8Array): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(Buffer.from(message.subarray(at + 1, at + 1 + length)).toString());
    at += length + 1;
  }
  return { name: labels.join("."), type: message[at + 1]! * 256 + message[at + 2]!, end: at + 5 };
}

function reply(message: Uint8Array, { code, records }: Reply): Uint8Array {
  const { type, end } = question(message);
  const head = [message[0]!, message[1]!, 0x81, 0x80 | code, 0, 1, 0, records.length, 0, 0, 0, 0];
  const answers = records.flatMap((data) => [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]);
  return new Uint8Array([...head, ...message.subarray(12, end), ...answers]);
}

function truncated(message: Uint8Array): Uint8Array {
  const bytes = reply(message, { code: NO_ERROR, records: [] });
  bytes[2]! |= 2;
  return bytes;
}

async function withServer(answer: Answer, body: (server: string, asked: string[]) => Promise<void>): Promise<void> {
  const socket = dgram.createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (message, sender) => {
    const { name, type } = question(message);
    asked.push(`${name} ${type}`);
    const result = answer(name, type);
    if (result !== undefined) socket.send(reply(message, result), sender.port, sender.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  try {
    await body(`127.0.0.1:${socket.address().port}`, asked);
  } finally {
    socket.close();
  }
}

/** The first answer. */
function resolve(resolver: Resolver, name: string): Promise<ResolvedAddresses> {
  return new Promise((found, failed) => {
    resolver.resolve(name, (outcome: ResolvedAddresses | ResolveFailure) => {
      if ("code" in outcome) failed(outcome);
      else found(outcome);
    });
  });
}

async function lookup(server: string, name: string, timeout = 3000): Promise<readonly string[] | string> {
  const resolver = host.createResolver({ servers: [server], timeout });
  try {
    return [...(await resolve(resolver, name)).addresses].sort();
  } catch (error) {
    return (error as IoError).code;
  } finally {
    resolver.close();
  }
}

const FOUR = [192, 0, 2, 7];
const SIX = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];

describe("resolver with servers of its own", () => {
  test("both families", async () => {
    const answer: Answer = (_, type) => ({ code: NO_ERROR, records: [type === A ? FOUR : SIX] });
    await withServer(answer, async (server, asked) => {
      assert.deepEqual(await lookup(server, "a.example"), ["192.0.2.7", "2001:db8::9"]);
      assert.deepEqual(asked.sort(), [`a.example ${A}`, `a.example ${AAAA}`]);
    });
  });

  test("the hosts file is not asked", async () => {
    const answer: Answer = (_, type) => ({ code: NO_ERROR, records: type === A ? [FOUR] : [] });
    await withServer(answer, async (server) => {
      assert.deepEqual(await lookup(server, "ip6-localhost"), ["192.0.2.7"]);
    });
  });

  const partial: readonly [string, Reply | undefined][] = [
    ["has no address", { code: NO_ERROR, records: [] }],
    ["fails", { code: SERVER_FAILURE, records: [] }],
    ["is never answered", undefined],
  ];
  for (const [what, other] of partial) {
    test(`one family is enough where the other ${what}`, async () => {
      const began = performance.now();
      await withServer(
        (_, type) => (type === A ? { code: NO_ERROR, records: [FOUR, FOUR] } : other),
        async (server) => assert.deepEqual(await lookup(server, "a.example"), ["192.0.2.7"]),
      );
      await withServer(
        (_, type) => (type === AAAA ? { code: NO_ERROR, records: [SIX] } : other),
        async (server) => assert.deepEqual(await lookup(server, "a.example"), ["2001:db8::9"]),
      );
      assert.ok(performance.now() - began < 2500, "it waited for the deadline");
    });
  }

  test("no such name, no address, a failing server and a silent one have their codes", async () => {
    const codes: Readonly<Record<string, Reply | undefined>> = {
      "none.example": { code: NO_SUCH_NAME, records: [] },
      "empty.example": { code: NO_ERROR, records: [] },
      "broken.example": { code: SERVER_FAILURE, records: [] },
      "silent.example": undefined,
    };
    await withServer(
      (name) => codes[name],
      async (server) => {
        assert.equal(await lookup(server, "none.example"), "ENOTFOUND");
        assert.equal(await lookup(server, "empty.example"), "ENOTFOUND");
        assert.equal(await lookup(server, "broken.example"), "ESERVFAIL");
        const began = performance.now();
        assert.equal(await lookup(server, "silent.example", 300), "ETIMEOUT");
        assert.ok(performance.now() - began < 1500, "the deadline");
      },
    );
  });

  test("close ends what is outstanding", async () => {
    await withServer(
      () => undefined,
      async (server) => {
        const resolver = host.createResolver({ servers: [server], timeout: 5000 });
        const outcome = resolve(resolver, "silent.example").catch((error: IoError) => error.code);
        resolver.close();
        assert.equal(await outcome, "ECANCELLED");
      },
    );
  });

  test("what comes from another port is not heard, however right it looks", async () => {
    const server = dgram.createSocket("udp4");
    const forger = dgram.createSocket("udp4");
    server.on("message", (message, { port, address }) => {
      const { type } = question(message);
      const forged = reply(message, { code: NO_ERROR, records: type === A ? [[6, 6, 6, 6]] : [] });
      const right = reply(message, { code: NO_ERROR, records: type === A ? [FOUR] : [] });
      forger.send(forged, port, address, () => setTimeout(() => server.send(right, port, address), 50));
    });
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    try {
      assert.deepEqual(await lookup(`127.0.0.1:${server.address().port}`, "a.example"), ["192.0.2.7"]);
    } finally {
      server.close();
      forger.close();
    }
  });

  const overTcp: readonly [string, (message: Buffer) => Uint8Array][] = [
    ["truncated again", (message) => truncated(message)],
    ["an answer to another question", (message) => reply(message, { code: NO_ERROR, records: [] }).fill(0, 0, 2)],
  ];
  for (const [what, answer] of overTcp) {
    test(`over TCP, ${what} is a failure at once`, async () => {
      const stream = net.createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", (framed: Buffer) => {
          const bytes = answer(framed.subarray(2));
          socket.write(Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes]));
        });
      });
      stream.listen(0, "127.0.0.1");
      await once(stream, "listening");
      const { port } = stream.address() as net.AddressInfo;
      const datagrams = dgram.createSocket("udp4");
      datagrams.on("message", (message, sender) => datagrams.send(truncated(message), sender.port, sender.address));
      datagrams.bind(port, "127.0.0.1");
      await once(datagrams, "listening");
      try {
        assert.equal(await lookup(`127.0.0.1:${port}`, "a.example", 30_000), "EBADRESP");
      } finally {
        datagrams.close();
        stream.close();
      }
    });
  }

  test("a name that fits into no question is answered, too", async () => {
    assert.equal(await lookup("127.0.0.1:9", `${"x".repeat(64)}.example`), "EBADNAME");
  });

  test("says that a lookup goes on after its first answer", async () => {
    const answer: Answer = (_, type) => (type === A ? { code: NO_ERROR, records: [FOUR] } : undefined);
    await withServer(answer, async (server) => {
      const resolver = host.createResolver({ servers: [server], timeout: 300 });
      const heard = await new Promise<unknown[]>((done) => {
        const calls: unknown[] = [];
        resolver.resolve("a.example", (_, more) => {
          calls.push(more);
          if (more === undefined) done(calls);
        });
      });
      assert.deepEqual(heard, ["more", undefined]);
    });
  });

  test("a server that is no address is refused", () => {
    assert.throws(() => host.createResolver({ servers: ["nonsense"], timeout: 100 }));
  });
});

describe("resolver of the system", () => {
  const resolver = host.createResolver({ servers: [], timeout: 5000 });

  test("reads the hosts file", async () => {
    const { addresses } = await resolve(resolver, "localhost");
    assert.ok(addresses.includes("127.0.0.1") || addresses.includes("::1"), addresses.join());
    assert.equal(new Set(addresses).size, addresses.length);
  });

  test("calls that the system does not come back from are bounded", async () => {
    const { lookup } = dns;
    let calls = 0;
    dns.lookup = (() => {
      calls++;
      return new Promise(() => {});
    }) as typeof lookup;
    const impatient = host.createResolver({ servers: [], timeout: 1 });
    try {
      const codes = new Set<string>();
      for (let turn = 0; turn < 100; turn++) {
        await resolve(impatient, "a.test").catch(({ code }: IoError) => codes.add(code));
      }
      assert.deepEqual([calls, [...codes]], [64, ["ETIMEOUT", "EAGAIN"]]);
    } finally {
      dns.lookup = lookup;
    }
  });

  test("a name that cannot exist", async () => {
    await assert.rejects(resolve(resolver, "no-such-name.invalid"), (error: IoError) =>
      ["ENOTFOUND", "EAI_AGAIN", "ESERVFAIL", "ETIMEOUT"].includes(error.code),
    );
  });
});
