import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { RequestGate } from "../../../src/http/request_gate.ts";
import type { RequestBody, RequestHead } from "../../../src/http/request_head.ts";
import { fromText } from "../three_ways.ts";

const SECOND = "GET /second HTTP/1.1\r\nHost: other.test\r\n\r\n";

function gate(body: RequestBody, upgrade = false): RequestGate {
  const head: RequestHead = {
    method: "POST",
    version: "1.1",
    host: "a.test",
    hostHeader: "a.test",
    target: "/",
    bytes: 40,
    body,
    upgrade,
  };
  return new RequestGate(head);
}

/** How much of `text` passes, whole; checks that byte by byte it is the same. */
function passes(body: RequestBody, text: string): number {
  const bytes = fromText(text);
  const single = gate(body);
  let count = 0;
  for (let at = 0; at < bytes.length; at++) count += single.fromClient(bytes.subarray(at, at + 1));
  const whole = gate(body).fromClient(bytes);
  assert.equal(count, whole, "byte by byte");
  return whole;
}

describe("a body passes and nothing behind it", () => {
  test("none", () => {
    assert.equal(passes({ kind: "none" }, SECOND), 0);
  });

  test("of a length", () => {
    assert.equal(passes({ kind: "length", length: 5 }, `hello${SECOND}`), 5);
    assert.equal(passes({ kind: "length", length: 500 }, "hello"), 5);
    assert.equal(passes({ kind: "length", length: 0 }, SECOND), 0);
  });

  test("chunked, with extensions and trailers", () => {
    for (const body of [
      "0\r\n\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      '00a;x="y";z\r\n0123456789\r\nA\r\n\r\n\r\n\r\n\r\n\r\n\r\n0000\r\n\r\n',
      `${"1\r\nx\r\n".repeat(100)}0\r\n\r\n`,
      `0;${"x".repeat(4000)}\r\n${"X: y\r\n".repeat(2600)}\r\n`,
      "5 ; x\r\nhello\r\n0;last\r\nX-Sum: 1\r\nY:\r\n\r\n",
    ]) {
      assert.equal(passes({ kind: "chunked" }, body + SECOND), body.length, body);
      assert.equal(passes({ kind: "chunked" }, body.slice(0, -1)), body.length - 1);
    }
  });

  test("nothing passes later either", () => {
    for (const kind of [{ kind: "none" }, { kind: "length", length: 3 }, { kind: "chunked" }] as const) {
      const one = gate(kind);
      one.fromClient(fromText("0\r\n\r\nx"));
      assert.equal(one.fromClient(fromText(SECOND)), 0);
      assert.equal(one.fromServer(fromText("HTTP/1.1 101 x\r\n\r\n")), false);
      assert.equal(one.fromClient(fromText(SECOND)), 0);
    }
  });
});

describe("broken chunks", () => {
  test("stop everything from the first wrong byte on", () => {
    for (const [good, bad] of [
      ["", "\r\n"],
      ["", "g\r\n"],
      ["", " 5\r\n"],
      ["", "+5\r\n"],
      ["0", "x10\r\n"],
      ["5", "\n"],
      ["5\r", "hello"],
      ["5 ", "\r\n"],
      ["5;a", "\nb"],
      ["5;a", "\u0000"],
      ["5\r\nhello", "0\r\n\r\n"],
      ["5\r\nhello", "\n0\r\n\r\n"],
      ["5\r\nhello\r", "0\r\n\r\n"],
      ["0\r\n", "\n"],
      ["0\r\n", " folded: x\r\n"],
      ["0\r\nX", " : y\r\n"],
      ["0\r\nX: y", "\nZ: x"],
      ["0\r\n\r", "x"],
      ["0\r\n", SECOND.slice(3)],
      ["fffffffffff1", "0\r\n"],
    ] as const) {
      assert.equal(
        passes({ kind: "chunked" }, `${good}${bad}0\r\n\r\n${SECOND}`),
        good.length,
        JSON.stringify(good + bad),
      );
    }
  });

  test("endless lines and trailers are cut", () => {
    assert.ok(passes({ kind: "chunked" }, `5;${"x".repeat(9000)}`) < 5000);
    assert.ok(passes({ kind: "chunked" }, `0\r\n${"X: y\r\n".repeat(5000)}`) < 17000);
    assert.ok(passes({ kind: "chunked" }, "0".repeat(100)) < 20);
  });
});

describe("an upgrade", () => {
  const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  const upgrade = () => gate({ kind: "none" }, true);

  /** Whether the gate opens after these bytes of the server, come byte by byte or whole. */
  function opens(response: string): boolean {
    const bytes = fromText(response);
    const results = [bytes.length, 1, 7].map((size) => {
      const one = upgrade();
      let wants = true;
      for (let at = 0; at < bytes.length && wants; at += size) wants = one.fromServer(bytes.subarray(at, at + size));
      return one.fromClient(fromText("frame")) === 5;
    });
    assert.deepEqual(results, [results[0], results[0], results[0]]);
    return results[0] as boolean;
  }

  test("opens with the server's 101, interim heads skipped", () => {
    assert.equal(opens(SWITCH), true);
    assert.equal(opens(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${SWITCH}`), true);
    assert.equal(opens(`HTTP/1.1 100\r\n\r\n${SWITCH}`), true);
    assert.equal(opens(`HTTP/1.1 100 Continue\n\n${SWITCH}`), true);
  });

  test("stays shut after any other answer", () => {
    for (const text of [
      "HTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 426 x\r\n\r\n",
      "HTTP/2.0 101 x\r\n",
      "x",
      "HTTP/1.1 099 \r\n\r\n",
    ]) {
      assert.equal(opens(text + SWITCH), false, text);
    }
    assert.equal(opens(`HTTP/1.1 100 HTTP/1.1 101 x\r\nX: HTTP/1.1 101\r\n`), false);
    assert.equal(opens("HTTP/1.1 10"), false);
  });

  test("stops looking at the first final status", () => {
    const one = upgrade();
    assert.equal(one.fromServer(fromText("HTTP/1.1 100 Continue\r\n")), true);
    assert.equal(one.fromServer(fromText("\r\nHTTP/1.1 2")), true);
    assert.equal(one.fromServer(fromText("00 OK")), false);
    assert.equal(gate({ kind: "none" }).fromServer(fromText("HTTP/1.1 1")), false);
  });

  test("bytes that come before the 101 are dropped, and shut the gate for good", () => {
    const one = upgrade();
    assert.equal(one.fromClient(fromText(SECOND)), 0);
    one.fromServer(fromText(SWITCH));
    assert.equal(one.fromClient(fromText("frame")), 0);
  });

  test("no bytes at all are no early bytes", () => {
    const one = upgrade();
    assert.equal(one.fromClient(new Uint8Array(0)), 0);
    one.fromServer(fromText(SWITCH));
    assert.equal(one.fromClient(fromText("frame")), 5);
    assert.equal(one.fromClient(fromText(SECOND)), SECOND.length);
  });

  test("a body passes first, whenever the 101 comes", () => {
    const before = gate({ kind: "length", length: 4 }, true);
    assert.equal(before.fromClient(fromText("bo")), 2);
    before.fromServer(fromText(SWITCH));
    assert.equal(before.fromClient(fromText("dyframe")), 7);

    const after = gate({ kind: "chunked" }, true);
    assert.equal(after.fromClient(fromText("0\r\n\r\n")), 5);
    after.fromServer(fromText(SWITCH));
    assert.equal(after.fromClient(fromText("frame")), 5);

    const broken = gate({ kind: "chunked" }, true);
    assert.equal(broken.fromClient(fromText("x")), 0);
    broken.fromServer(fromText(SWITCH));
    assert.equal(broken.fromClient(fromText("frame")), 0);
  });
});

describe("properties", () => {
  test("a chunked body of any chunks passes exactly, cut anywhere", () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(chunk), fc.uint8Array(), fc.integer({ min: 1, max: 30 }), (chunks, tail, size) => {
        const data = chunks.map((part) => `${part.length.toString(16)}\r\n${String.fromCharCode(...part)}\r\n`);
        const body = fromText(`${data.join("")}0\r\n\r\n`);
        const wire = new Uint8Array([...body, ...tail]);
        const one = gate({ kind: "chunked" });
        let count = 0;
        for (let at = 0; at < wire.length; at += size) count += one.fromClient(wire.subarray(at, at + size));
        assert.equal(count, body.length);
      }),
    );
  });

  test("random bytes are never answered with more than they are", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(fc.uint8Array()), (upgrade, parts) => {
        const one = gate({ kind: "chunked" }, upgrade);
        for (const part of parts) {
          one.fromServer(part);
          const count = one.fromClient(part);
          assert.ok(count >= 0 && count <= part.length);
        }
      }),
    );
  });
});
