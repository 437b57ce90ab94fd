import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { latin1 } from "../../../src/bytes.ts";
import { encodeReply, httpsLocation, type ReplyOptions, type ReplyStatus } from "../../../src/http/reply.ts";
import { type RequestHead, RequestHeadReader } from "../../../src/http/request_head.ts";
import { fromText } from "../three_ways.ts";

function reply(status: ReplyStatus, options: ReplyOptions): string {
  const bytes = encodeReply(status, options);
  return latin1(bytes, 0, bytes.length);
}

describe("encodeReply", () => {
  test("is one closed HTTP/1.1 response", () => {
    assert.equal(
      reply(404, { detail: "no_route: nothing here" }),
      "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 37\r\nConnection: close\r\n\r\n" +
        "404 Not Found\nno_route: nothing here\n",
    );
  });

  test("Content-Length is the body's, for every status", () => {
    for (const status of [301, 308, 400, 403, 404, 408, 502, 503, 504] as const) {
      const [head, body] = reply(status, { detail: "x" }).split("\r\n\r\n") as [string, string];
      assert.equal(Number(/Content-Length: (\d+)/.exec(head)?.[1]), body.length);
    }
  });

  test("HEAD gets the length and no body", () => {
    const text = reply(400, { detail: "x", method: "HEAD" });
    assert.match(text, /Content-Length: 18\r\n.*\r\n\r\n$/s);
  });

  test("nothing can begin a line of its own", () => {
    const evil = "x\r\nSet-Cookie: a\u0000\u001b[31m\u00e4";
    const text = reply(308, { detail: evil, location: evil });
    const lines = text.split(/\r\n|\n|\r/);
    assert.ok(!lines.some((line) => line.startsWith("Set-Cookie")));
    assert.ok(text.includes("Location: x??Set-Cookie: a??[31m?\r\n"));
  });
});

describe("httpsLocation", () => {
  const location = (start: string, host: string | undefined, port = 443) => {
    const head = new RequestHeadReader().read(
      fromText(`${start}\r\n${host === undefined ? "" : `Host: ${host}\r\n`}\r\n`),
    );
    return httpsLocation(head as RequestHead, port);
  };

  test("keeps host and target, and changes scheme and port", () => {
    assert.equal(location("GET /a?b=c HTTP/1.1", "A.test:80"), "https://a.test/a?b=c");
    assert.equal(location("GET /a HTTP/1.1", "a.test", 8443), "https://a.test:8443/a");
    assert.equal(location("GET //evil.test/ HTTP/1.1", "a.test"), "https://a.test//evil.test/");
    assert.equal(location("GET http://a.test/x HTTP/1.1", "a.test"), "https://a.test/x");
    assert.equal(location("OPTIONS * HTTP/1.1", "a.test"), "https://a.test/");
  });

  test("addresses stay, a missing host has no location", () => {
    assert.equal(location("GET /a HTTP/1.1", "192.0.2.1:8080"), "https://192.0.2.1/a");
    assert.equal(location("GET /a HTTP/1.1", "[2001:db8::1]:80", 8443), "https://[2001:db8::1]:8443/a");
    assert.equal(location("GET /a HTTP/1.1", ""), undefined);
    assert.equal(location("GET /a HTTP/1.0", undefined), undefined);
  });
});
