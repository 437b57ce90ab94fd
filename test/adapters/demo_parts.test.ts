/** The demo's parts, against each other and against the runtime's own X.509 reader. */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { type Authority, createAuthority } from "../../adapters/demo/certificates.ts";
import { type HttpsOutcome, httpsGet } from "../../adapters/demo/client.ts";
import { type Origin, startOrigin } from "../../adapters/demo/origin.ts";

describe("certificates", () => {
  const authority = createAuthority("a test CA");
  const root = new X509Certificate(authority.certificate);

  test("the authority signs itself and may sign others", () => {
    assert.equal(root.subject, "CN=a test CA");
    assert.equal(root.ca, true);
    assert.ok(root.verify(root.publicKey));
  });

  test("a leaf chains to its authority and to no other", () => {
    const leaf = new X509Certificate(authority.leaf("a.test").certificate);
    assert.ok(leaf.verify(root.publicKey));
    assert.ok(leaf.checkIssued(root));
    assert.equal(leaf.ca, false);
    assert.equal(leaf.verify(new X509Certificate(createAuthority("a test CA").certificate).publicKey), false);
  });

  test("a leaf is good for its names and addresses, and for nothing else", () => {
    const leaf = new X509Certificate(authority.leaf("a.test", "*.b.test", "127.0.0.1", "2001:db8::5").certificate);
    assert.equal(leaf.checkHost("a.test"), "a.test");
    // Deno's checkHost knows no wildcard; "origin and client" below has a real one.
    assert.match(leaf.subjectAltName ?? "", /DNS:\*\.b\.test/);
    assert.equal(leaf.checkHost("c.test"), undefined);
    assert.equal(leaf.checkIP("127.0.0.1"), "127.0.0.1");
    assert.ok(leaf.checkIP("2001:db8::5"));
    assert.equal(leaf.checkIP("2001:db8::6"), undefined);
  });

  test("the private key belongs to the certificate", async () => {
    const { createPrivateKey } = await import("node:crypto");
    const leaf = authority.leaf("a.test");
    assert.ok(new X509Certificate(leaf.certificate).checkPrivateKey(createPrivateKey(leaf.key)));
  });

  test("it is valid now, for days and not for years, with a serial number of its own", () => {
    const one = new X509Certificate(authority.leaf("a.test").certificate);
    const two = new X509Certificate(authority.leaf("a.test").certificate);
    const day = 86_400_000;
    assert.ok(Date.parse(one.validFrom) < Date.now());
    assert.ok(Date.parse(one.validTo) > Date.now() + day);
    assert.ok(Date.parse(one.validTo) < Date.now() + 31 * day);
    assert.notEqual(one.serialNumber, two.serialNumber);
    assert.equal(one.serialNumber.length, 32);
  });

  test("a name longer than a common name may be still stands in the SAN", () => {
    const name = `${"a".repeat(60)}.${"b".repeat(60)}.test`;
    assert.equal(new X509Certificate(authority.leaf(name).certificate).checkHost(name), name);
  });

  test("a name that no certificate can hold is refused", () => {
    for (const name of ["", "bücher.test", "a b.test", "a\n.test"]) {
      assert.throws(() => authority.leaf(name), { name: "TypeError", message: /Cannot write .* into a certificate/ });
    }
  });
});

describe("origin and client", () => {
  let authority: Authority;
  let origin: Origin;

  before(async () => {
    authority = createAuthority();
    const leaf = authority.leaf("alpha.test", "*.alpha.test");
    origin = await startOrigin({ origin: "alpha", leaf });
  });
  after(() => origin.close());

  const get = (serverName: string, more: { ca?: string; path?: string } = {}): Promise<HttpsOutcome> =>
    httpsGet({ host: origin.host, port: origin.port, serverName, ca: authority.certificate, ...more });

  test("the answer says who answered, what was asked and by which name", async () => {
    const outcome = await get("www.alpha.test", { path: "/orders?id=1" });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    assert.equal(outcome.status, 200);
    assert.deepEqual(JSON.parse(outcome.body), { origin: "alpha", path: "/orders?id=1", servedAs: "www.alpha.test" });
    assert.deepEqual(outcome.certificate, {
      subject: "alpha.test",
      issuer: "certless demo CA",
      names: ["alpha.test", "*.alpha.test"],
    });
  });

  test("a certificate for another name is not accepted", async () => {
    const outcome = await get("beta.test");
    assert.ok(!outcome.ok);
    assert.equal(outcome.code, "ERR_TLS_CERT_ALTNAME_INVALID");
    assert.equal(outcome.alert, undefined);
  });

  test("a certificate of an authority that is not trusted is not accepted", async () => {
    const outcome = await get("alpha.test", { ca: createAuthority("another").certificate });
    assert.ok(!outcome.ok);
    assert.match(outcome.code, /UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET_ISSUER/);
  });

  test("an origin on IPv6 gives its address in brackets", async () => {
    const six = await startOrigin({ origin: "six", leaf: authority.leaf("six.test"), host: "::1" });
    try {
      assert.equal(six.address, `[::1]:${six.port}`);
      const outcome = await httpsGet({
        host: "::1",
        port: six.port,
        serverName: "six.test",
        ca: authority.certificate,
      });
      assert.ok(outcome.ok, JSON.stringify(outcome));
    } finally {
      await six.close();
    }
  });

  test("a busy port is an error with its code", async () => {
    const busy = startOrigin({ origin: "second", leaf: authority.leaf("b.test"), port: origin.port });
    await assert.rejects(busy, { code: "EADDRINUSE" });
  });

  test("a closed origin refuses", async () => {
    const gone = await startOrigin({ origin: "gone", leaf: authority.leaf("gone.test") });
    await gone.close();
    const outcome = await httpsGet({
      host: "127.0.0.1",
      port: gone.port,
      serverName: "gone.test",
      ca: authority.certificate,
    });
    assert.ok(!outcome.ok);
    assert.equal(outcome.code, "ECONNREFUSED");
  });
});

describe("what a client is told by an alert", () => {
  const names: Record<number, string> = {
    10: "unexpected_message",
    22: "record_overflow",
    40: "handshake_failure",
    47: "illegal_parameter",
    49: "access_denied",
    50: "decode_error",
    70: "protocol_version",
    80: "internal_error",
    109: "missing_extension",
    112: "unrecognized_name",
    120: "no_application_protocol",
  };
  const ca = createAuthority().certificate;

  for (const [number, name] of Object.entries(names)) {
    test(`alert ${number} is ${name}`, async () => {
      // One plaintext record (RFC 8446 §5.1): alert, TLS 1.2 on the wire, two bytes: fatal, number.
      const record = Uint8Array.of(21, 3, 3, 0, 2, 2, Number(number));
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.end(record));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const { port } = server.address() as AddressInfo;
        const outcome = await httpsGet({ host: "127.0.0.1", port, serverName: "a.test", ca });
        assert.ok(!outcome.ok);
        assert.equal(outcome.alert, name, outcome.message);
      } finally {
        server.close();
      }
    });
  }

  test("silence ends at the timeout", async () => {
    const server = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const outcome = await httpsGet({ host: "127.0.0.1", port, serverName: "a.test", ca, timeout: 100 });
      assert.ok(!outcome.ok);
      assert.equal(outcome.code, "ETIMEDOUT");
      assert.match(outcome.message, /a\.test: timed out/);
    } finally {
      server.close();
    }
  });
});
