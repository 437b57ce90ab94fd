import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Check, type CheckResult } from "../../../src/health/check.ts";
import { CERTIFICATE, failed, ProbeWorld, planOf, WELL } from "./health_fixture.ts";

function run(world: ProbeWorld, plan = planOf("tcp")[0]!): CheckResult {
  const results: CheckResult[] = [];
  new Check(plan, world, (result) => results.push(result));
  world.clock.run();
  assert.equal(results.length, 1);
  assert.deepEqual([world.running, world.clock.pending], [0, 0], "something is left over");
  return results[0]!;
}

const portOf = ({ endpoint }: { endpoint: { kind: string } }) => endpoint;

describe("tcp", () => {
  test("a connect is enough", () => {
    const world = new ProbeWorld();
    assert.deepEqual(run(world), { error: undefined, duration: 5, names: [] });
    assert.deepEqual(world.requests.map(portOf), [{ kind: "tcp", ip: "10.0.0.1", port: 443 }]);
    assert.equal(world.requests[0]!.tls, undefined);
  });

  test("refused", () => {
    const world = new ProbeWorld();
    world.answer = () => failed("ECONNREFUSED");
    assert.equal(run(world).error, "connection refused");
  });

  test("no answer: the check's own time ends it", () => {
    const world = new ProbeWorld();
    world.answer = () => undefined;
    const result = run(world, planOf({ type: "tcp", timeout: "300ms" })[0]);
    assert.deepEqual([result.error, result.duration], ["no answer within 300 ms", 320]);
  });
});

describe("a server given by name", () => {
  const plan = planOf("tcp", ["api.internal:443"])[0]!;

  test("one of its addresses is enough", () => {
    const world = new ProbeWorld();
    world.names = { "api.internal": ["2001:db8::1", "192.0.2.1"] };
    world.answer = ({ endpoint }) =>
      endpoint.kind === "tcp" && endpoint.ip === "192.0.2.1" ? WELL : failed("ENETUNREACH");
    assert.equal(run(world, plan).error, undefined);
    assert.equal(world.requests.length, 2);
  });

  test("none answers: the last one's failure, with its address", () => {
    const world = new ProbeWorld();
    world.names = { "api.internal": ["192.0.2.1"] };
    world.answer = () => failed("ECONNREFUSED");
    assert.equal(run(world, plan).error, "connection refused at 192.0.2.1:443");
  });

  test("it does not resolve", () => {
    const world = new ProbeWorld();
    assert.equal(run(world, plan).error, "the name has no address");
    world.names = { "api.internal": [] };
    assert.equal(run(world, plan).error, "the name has no address");
  });
});

describe("tls", () => {
  const plan = planOf("tls")[0]!;

  test("a handshake for each routed name", () => {
    const world = new ProbeWorld();
    const { error, names } = run(world, plan);
    assert.equal(error, undefined);
    assert.deepEqual(
      world.requests.map(({ tls }) => tls?.serverName),
      ["a.test", "b.test"],
    );
    assert.deepEqual(names[1], { serverName: "b.test", certificate: CERTIFICATE, error: undefined });
  });

  test("one name that is refused does not take the server out; all of them do", () => {
    const world = new ProbeWorld();
    world.answer = ({ tls }) => (tls?.serverName === "a.test" ? failed("ECONNRESET", "handshake") : WELL);
    const { error, names } = run(world, plan);
    assert.equal(error, undefined);
    assert.equal(names[0]?.error, "the server closed the connection (TLS handshake)");
    world.answer = () => failed("ERR_SSL_INTERNAL_ERROR", "handshake");
    assert.equal(run(world, plan).error, "internal error (TLS handshake)");
  });

  test("a server that does not speak is asked once", () => {
    const world = new ProbeWorld();
    world.answer = () => failed("ETIMEDOUT", "handshake");
    assert.equal(run(world, plan).error, "no answer within 2000 ms (TLS handshake)");
    assert.equal(world.requests.length, 1);
  });

  test("the time is up behind a good name: well", () => {
    const world = new ProbeWorld();
    world.answer = ({ tls }) => (tls?.serverName === "a.test" ? WELL : undefined);
    const result = run(world, plan);
    assert.deepEqual([result.error, result.names.length], [undefined, 1]);
  });

  test("verify looks at the certificate; without it nothing of it matters", () => {
    const world = new ProbeWorld();
    world.answer = () => ({ ok: true, duration: 1, certificate: { ...CERTIFICATE, untrusted: "SELF_SIGNED" } });
    assert.equal(run(world, plan).error, undefined);
    const strict = planOf({ type: "tls", verify: true })[0]!;
    assert.equal(run(world, strict).error, "the certificate is not trusted: SELF_SIGNED");
    world.answer = () => ({ ok: true, duration: 1, certificate: undefined });
    assert.equal(run(world, strict).error, "the server showed no certificate");
  });
});

describe("http", () => {
  test("a status as expected, or not", () => {
    const world = new ProbeWorld();
    let status = 204;
    world.answer = ({ exchange }) => {
      exchange!.received(new TextEncoder().encode(`HTTP/1.1 ${status} x\r\n`));
      return WELL;
    };
    const plan = planOf("http")[0]!;
    assert.equal(run(world, plan).error, undefined);
    status = 503;
    assert.equal(run(world, plan).error, "status 503, expected 200-399");
  });
});

test("cancelled, it tells nothing and leaves nothing", () => {
  const world = new ProbeWorld();
  const check = new Check(planOf("tcp")[0]!, world, () => assert.fail("it was cancelled"));
  check.cancel();
  assert.equal(world.running, 0);
  world.clock.run();
});
