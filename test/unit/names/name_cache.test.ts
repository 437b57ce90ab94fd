import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ResolvedAddresses, ResolvedServices, ResolveFailure, Resolver } from "../../../src/host.ts";
import { MAX_FAILED_NAMES, MAX_NAMES, NameCache } from "../../../src/names/name_cache.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

type Outcome = ResolvedAddresses | ResolveFailure;

/** Answers when told to. */
class HeldResolver implements Resolver {
  concurrency = 1000;
  readonly asked: string[] = [];
  readonly open: ((outcome: Outcome, more?: "more") => void)[] = [];
  /** Answers at once. */
  outcome: Outcome | undefined;

  resolve(name: string, answered: (outcome: Outcome, more?: "more") => void): void {
    this.asked.push(name);
    if (this.outcome === undefined) this.open.push(answered);
    else answered(this.outcome);
  }

  resolveService(name: string, answered: (outcome: ResolvedServices | ResolveFailure) => void): void {
    this.asked.push(`SRV ${name}`);
    answered({ services: [{ priority: 1, weight: 2, port: 443, target: "a.test" }], ttl: 30_000 });
  }

  close(): void {}
}

const found = (ip: string, ttl?: number): Outcome => ({ addresses: [ip], ttl });
const failed = (code: string, ttl?: number): Outcome => ({ code, message: code, ttl });

function world(times = { minTtl: 1_000, maxTtl: 3_600_000, staleFor: 86_400_000 }, concurrency = 1000) {
  const resolver = new HeldResolver();
  resolver.concurrency = concurrency;
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const cache = new NameCache({ resolver, clock, times, warn: (message) => warnings.push(message) });
  const ask = (name = "a.test"): Promise<string> =>
    cache.resolve(name).then(
      (addresses) => addresses.join(),
      (error: ResolveFailure) => error.code,
    );
  return { resolver, clock, warnings, cache, ask, at: (time: number) => clock.run(time) };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

describe("name cache: TTLs", () => {
  test("asks once while a lookup is under way, and again when the TTL is over", async () => {
    const { resolver, ask, at } = world();
    const both = [ask(), ask()];
    resolver.open[0]!(found("192.0.2.1", 3_000));
    assert.deepEqual(await Promise.all(both), ["192.0.2.1", "192.0.2.1"]);
    resolver.outcome = found("192.0.2.2", 3_000);
    at(2_999);
    assert.equal(await ask(), "192.0.2.1");
    assert.equal(resolver.asked.length, 1);
    at(3_000);
    assert.equal(await ask(), "192.0.2.2");
  });

  test("a TTL is kept within its bounds; one that is not told is short", async () => {
    for (const [ttl, kept] of [
      [0, 1_000],
      [1e12, 3_600_000],
      [undefined, 5_000],
    ] as const) {
      const { resolver, ask, at } = world();
      resolver.outcome = found("192.0.2.1", ttl);
      await ask();
      at(kept * 0.79);
      await ask();
      assert.equal(resolver.asked.length, 1, String(ttl));
      at(kept);
      await ask();
      assert.equal(resolver.asked.length, 2, String(ttl));
    }
  });

  test("a name in use is renewed before it is too old, and nobody waits for that", async () => {
    const { resolver, ask, at } = world();
    resolver.outcome = found("192.0.2.1", 10_000);
    await ask();
    resolver.outcome = undefined;
    at(7_999);
    await ask();
    assert.equal(resolver.asked.length, 1);
    at(8_000);
    assert.deepEqual([await ask(), await ask()], ["192.0.2.1", "192.0.2.1"]);
    assert.equal(resolver.asked.length, 2);
    resolver.open[0]!(found("192.0.2.2", 10_000));
    assert.equal(await ask(), "192.0.2.2");
  });

  test("the second, fuller answer of a lookup is kept", async () => {
    const { resolver, ask, cache } = world();
    const first = ask();
    resolver.open[0]!(found("2001:db8::1", 60_000));
    assert.equal(await first, "2001:db8::1");
    resolver.open[0]!({ addresses: ["2001:db8::1", "192.0.2.1"], ttl: 60_000 });
    assert.deepEqual(await cache.resolve("a.test"), ["2001:db8::1", "192.0.2.1"]);
    assert.equal(resolver.asked.length, 1);
  });

  test("says until when an answer is good; services have their own place", async () => {
    const { resolver, cache, at } = world();
    at(500);
    resolver.outcome = found("192.0.2.1", 10_000);
    assert.deepEqual(await cache.lookUp("_x._tcp.a.test"), { value: ["192.0.2.1"], freshUntil: 10_500 });
    const services = await cache.lookUpService("_x._tcp.a.test");
    assert.deepEqual(services.value, [{ priority: 1, weight: 2, port: 443, target: "a.test" }]);
    assert.equal(services.freshUntil, 30_500);
  });
});

describe("name cache: what is not there", () => {
  test("is believed for as long as the server says, for a moment where it does not, for minutes at most", async () => {
    for (const [ttl, kept] of [
      [60_000, 60_000],
      [undefined, 2_000],
      [1e9, 300_000],
      [0, 1_000],
    ] as const) {
      const { resolver, ask, at } = world();
      resolver.outcome = failed("ENOTFOUND", ttl);
      assert.equal(await ask(), "ENOTFOUND");
      at(kept - 1);
      await ask();
      assert.equal(resolver.asked.length, 1, String(ttl));
      at(kept);
      await ask();
      assert.equal(resolver.asked.length, 2, String(ttl));
    }
  });

  test("a failure is forgotten within a second", async () => {
    const { resolver, ask, at } = world();
    resolver.outcome = failed("ESERVFAIL");
    assert.equal(await ask(), "ESERVFAIL");
    assert.equal(await ask(), "ESERVFAIL");
    assert.equal(resolver.asked.length, 1);
    at(1_000);
    resolver.outcome = found("192.0.2.1");
    assert.equal(await ask(), "192.0.2.1");
  });

  test("a name that is gone is gone: no old answer for it", async () => {
    const { resolver, ask, at, warnings } = world();
    resolver.outcome = found("192.0.2.1", 1_000);
    await ask();
    at(1_000);
    resolver.outcome = failed("ENOTFOUND");
    assert.equal(await ask(), "ENOTFOUND");
    assert.deepEqual(warnings, []);
  });
});

describe("name cache: old answers (RFC 8767)", () => {
  test("while the resolver fails; said once, and once when it is over", async () => {
    const { resolver, ask, at, warnings } = world();
    resolver.outcome = found("192.0.2.1", 1_000);
    await ask();
    resolver.outcome = failed("ETIMEOUT");
    for (let time = 1_000; time < 30_000; time += 1_000) {
      at(time);
      assert.equal(await ask(), "192.0.2.1");
    }
    assert.ok(resolver.asked.length <= 7, "it is not asked for every client");
    assert.deepEqual(warnings, ["Cannot resolve a.test again: ETIMEOUT; what it last resolved to is used meanwhile"]);
    resolver.outcome = found("192.0.2.2", 60_000);
    at(40_000);
    await ask();
    assert.equal(await ask(), "192.0.2.2");
    assert.equal(warnings[1], "a.test resolves again");
  });

  test("while it is slow: after a moment, and once it is known to fail, at once", async () => {
    const { resolver, ask, at, clock } = world();
    resolver.outcome = found("192.0.2.1", 1_000);
    await ask();
    resolver.outcome = undefined;
    at(1_000);
    const slow = ask();
    at(2_799);
    await settled();
    at(2_800);
    assert.equal(await slow, "192.0.2.1");
    resolver.open[0]!(failed("ETIMEOUT"));
    at(9_000);
    assert.equal(await ask(), "192.0.2.1");
    assert.equal(clock.pending, 0);
  });

  test("while it is slow, only the first client waits for that", async () => {
    const { resolver, ask, at } = world();
    resolver.outcome = found("192.0.2.1", 1_000);
    await ask();
    resolver.outcome = undefined;
    at(1_000);
    const slow = ask();
    at(2_800);
    await slow;
    assert.equal(await Promise.race([ask(), settled()]), "192.0.2.1");
    assert.equal(resolver.asked.length, 2);
  });

  for (const [code, when] of [
    ["ENOTFOUND", 20_000],
    ["ESERVFAIL", 100_000],
  ] as const) {
    test(`the end of an old answer by ${code} is no good news`, async () => {
      const { resolver, ask, at, warnings } = world({ minTtl: 0, maxTtl: 1e6, staleFor: 60_000 });
      resolver.outcome = found("192.0.2.1", 1_000);
      await ask();
      resolver.outcome = failed("ETIMEOUT");
      at(2_000);
      await ask();
      resolver.outcome = failed(code);
      at(when);
      await ask();
      assert.equal(warnings[1], `Cannot resolve a.test: ${code}; what it last resolved to is no longer used`);
    });
  }

  test("not longer than staleFor", async () => {
    const { resolver, ask, at } = world({ minTtl: 0, maxTtl: 1e6, staleFor: 60_000 });
    resolver.outcome = found("192.0.2.1", 1_000);
    await ask();
    resolver.outcome = failed("ESERVFAIL");
    at(60_999);
    assert.equal(await ask(), "192.0.2.1");
    at(70_000);
    await ask();
    at(80_000);
    assert.equal(await ask(), "ESERVFAIL");
  });

  test("a renewal that fails early changes nothing", async () => {
    const { resolver, ask, at, warnings } = world();
    resolver.outcome = found("192.0.2.1", 10_000);
    await ask();
    resolver.outcome = failed("ESERVFAIL");
    at(8_000);
    await ask();
    at(8_500);
    assert.equal(await ask(), "192.0.2.1");
    assert.equal(resolver.asked.length, 2);
    assert.deepEqual(warnings, []);
  });
});

describe("name cache: bounds", () => {
  test("a lookup that goes on after its first answer keeps its place", async () => {
    const { resolver, ask } = world(undefined, 1);
    const first = ask("a.test");
    const second = ask("b.test");
    resolver.open[0]!(found("192.0.2.1"), "more");
    assert.equal(await first, "192.0.2.1");
    assert.deepEqual(resolver.asked, ["a.test"]);
    resolver.open[0]!(found("192.0.2.1"));
    assert.deepEqual(resolver.asked, ["a.test", "b.test"]);
    resolver.open[1]!(found("192.0.2.2"));
    assert.equal(await second, "192.0.2.2");
  });

  test("the names that were not asked for the longest go first", async () => {
    const { resolver, ask } = world();
    resolver.outcome = found("192.0.2.1", 1e6);
    for (let index = 0; index < MAX_NAMES; index++) await ask(`n${index}.test`);
    await ask("n0.test");
    await ask("new.test");
    assert.equal(resolver.asked.length, MAX_NAMES + 1);
    await ask("n0.test");
    assert.equal(resolver.asked.length, MAX_NAMES + 1);
    await ask("n1.test");
    assert.equal(resolver.asked.length, MAX_NAMES + 2);
  });

  test("names without an address do not push out the others", async () => {
    const { resolver, ask } = world();
    resolver.outcome = found("192.0.2.1", 1e6);
    await ask("good.test");
    resolver.outcome = failed("ENOTFOUND", 1e6);
    for (let index = 0; index < MAX_FAILED_NAMES + 1; index++) await ask(`n${index}.test`);
    const before = resolver.asked.length;
    await ask("good.test");
    await ask("n1.test");
    assert.equal(resolver.asked.length, before);
    await ask("n0.test");
    assert.equal(resolver.asked.length, before + 1);
  });

  test("a flood of names: so many at once, so many wait, the rest is turned away", async () => {
    const resolver = new HeldResolver();
    resolver.concurrency = 4;
    const times = { minTtl: 0, maxTtl: 1, staleFor: 0 };
    const cache = new NameCache({ resolver, clock: new VirtualClock(), times, warn: () => {} });
    const codes: string[] = [];
    for (let index = 0; index < 1_010; index++) {
      cache.resolve(`n${index}.test`).catch((error: ResolveFailure) => codes.push(error.code));
    }
    await settled();
    assert.equal(resolver.asked.length, 4);
    assert.deepEqual(codes, Array(6).fill("EAGAIN"));
    resolver.open[0]!(found("192.0.2.1"));
    assert.equal(resolver.asked.length, 5);
  });
});
