import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UpstreamAttempt } from "../../../src/connection_record.ts";
import { ATTEMPT_DELAY, Dial, QUEUE_POLL } from "../../../src/session/dial.ts";
import { DialPlan, type DialTarget, type Waiting } from "../../../src/session/dial_plan.ts";
import { AddressMemory } from "../../../src/upstream/address_memory.ts";
import { failure } from "./session_fixture.ts";

class Plan extends DialPlan {
  readonly #targets: DialTarget[];
  readonly #refused: ReadonlySet<string>;
  /** What became of the servers. */
  readonly told: string[] = [];

  constructor(targets: readonly DialTarget[], refused: readonly string[] = []) {
    super();
    this.#targets = [...targets];
    this.#refused = new Set(refused);
  }

  next(): DialTarget | undefined {
    return this.#targets.shift();
  }

  remaining(): number {
    return this.#targets.length;
  }

  override refuses(ip: string): string | undefined {
    return this.#refused.has(ip) ? "it is a private address" : undefined;
  }

  override failed(_now: number, cause: string): void {
    this.told.push(cause);
  }
}

const server = (ip: string): DialTarget => ({ kind: "endpoint", endpoint: { kind: "tcp", ip, port: 443 } });
const named = (name: string): DialTarget => ({ kind: "name", name, port: 443 });

/** A dial, and its steps as short texts: `connect 1 192.0.2.1:443`, `+connect …` alongside, `resolve a`, `failed reason`. */
function start(targets: readonly DialTarget[], refused: readonly string[] = [], deadline = 15_000) {
  const attempts: UpstreamAttempt[] = [];
  const plan = new Plan(targets, refused);
  const dial = new Dial(plan, attempts, deadline);
  const text = (step: ReturnType<Dial["begin"]>): string => {
    switch (step.kind) {
      case "connect":
        return `${step.alongside ? "+" : ""}connect ${step.attempt} ${step.endpoint.kind === "tcp" ? step.endpoint.ip : ""}`;
      case "resolve":
        return `resolve ${step.name}`;
      case "failed":
        return `failed ${step.reason}`;
      default:
        return step.kind;
    }
  };
  return { dial, attempts, text, told: plan.told };
}

describe("dial: several servers", () => {
  test("the next one when a connect is refused", () => {
    const { dial, attempts, text, told } = start([server("192.0.2.1"), server("192.0.2.2")]);
    assert.equal(text(dial.begin(0)), "connect 1 192.0.2.1");
    assert.equal(text(dial.connectFailed(1, failure("ECONNREFUSED"), 5)), "connect 2 192.0.2.2");
    dial.connected(2, 5);
    assert.deepEqual(attempts, [
      { address: "192.0.2.1:443", outcome: "ECONNREFUSED" },
      { address: "192.0.2.2:443", outcome: "" },
    ]);
    assert.equal(dial.deadline, Number.POSITIVE_INFINITY);
    assert.deepEqual(told, ["ECONNREFUSED"]);
  });

  test("each gets its share of the time that is left", () => {
    const { dial, text, told } = start([server("192.0.2.1"), server("192.0.2.2"), server("192.0.2.3")]);
    dial.begin(0);
    assert.equal(dial.deadline, 5_000);
    assert.equal(text(dial.timedOut(5_000)), "connect 2 192.0.2.2");
    assert.equal(dial.deadline, 10_000);
    assert.equal(text(dial.connectFailed(2, failure("ECONNREFUSED"), 6_000)), "connect 3 192.0.2.3");
    assert.equal(dial.deadline, 15_000);
    assert.equal(text(dial.timedOut(15_000)), "failed connect_timeout");
    assert.deepEqual(told, ["ETIMEDOUT", "ECONNREFUSED", "ETIMEDOUT"]);
  });

  test("an answer of an attempt that was given up is nothing", () => {
    const { dial, text } = start([server("192.0.2.1"), server("192.0.2.2")]);
    dial.begin(0);
    dial.timedOut(7_500);
    assert.equal(text(dial.connectFailed(1, failure("ECONNREFUSED"), 8_000)), "wait");
  });

  test("when all fail, the last cause is the reason", () => {
    const { dial, text } = start([server("192.0.2.1")]);
    dial.begin(0);
    assert.equal(text(dial.connectFailed(1, failure("EHOSTUNREACH"), 1)), "failed connect_failed");
    const timeout = start([server("192.0.2.1")]);
    timeout.dial.begin(0);
    assert.equal(timeout.text(timeout.dial.connectFailed(1, failure("ETIMEDOUT"), 1)), "failed connect_timeout");
  });
});

describe("dial: names (RFC 8305)", () => {
  const ADDRESSES = ["2001:db8::1", "192.0.2.1", "192.0.2.2"];

  test("addresses race, one every 250 ms, families in turn", () => {
    const { dial, attempts, text } = start([named("a.test")]);
    assert.equal(text(dial.begin(0)), "resolve a.test");
    assert.equal(text(dial.resolved("a.test", ADDRESSES, 10)), "connect 1 2001:db8::1");
    assert.equal(dial.deadline, 10 + ATTEMPT_DELAY);
    assert.equal(text(dial.timedOut(260)), "+connect 2 192.0.2.1");
    assert.equal(text(dial.timedOut(510)), "+connect 3 192.0.2.2");
    assert.equal(dial.deadline, 15_000);
    dial.connected(2, 5);
    assert.deepEqual(attempts.at(-1), { address: "192.0.2.1:443", outcome: "" });
    assert.deepEqual(attempts.map(({ outcome }) => outcome).sort(), ["", "abandoned", "abandoned"]);
  });

  test("a failed attempt starts the next at once", () => {
    const { dial, text } = start([named("a.test")]);
    dial.begin(0);
    dial.resolved("a.test", ADDRESSES, 10);
    assert.equal(text(dial.connectFailed(1, failure("ENETUNREACH"), 12)), "connect 2 192.0.2.1");
    assert.equal(text(dial.timedOut(262)), "+connect 3 192.0.2.2");
    assert.equal(text(dial.connectFailed(3, failure("ECONNREFUSED"), 263)), "wait");
    assert.equal(text(dial.connectFailed(2, failure("ECONNREFUSED"), 264)), "failed connect_failed");
  });

  test("refused addresses are not dialled; when none is left, that is the reason", () => {
    const some = start([named("a.test")], ["2001:db8::1"]);
    some.dial.begin(0);
    assert.equal(some.text(some.dial.resolved("a.test", ADDRESSES, 1)), "connect 1 192.0.2.1");
    const all = start([named("a.test")], ADDRESSES);
    all.dial.begin(0);
    const step = all.dial.resolved("a.test", ADDRESSES, 1);
    assert.equal(all.text(step), "failed address_refused");
    assert.match(step.kind === "failed" ? step.detail : "", /a\.test resolved to .*: it is a private address/);
  });

  test("a resolver that fails, has nothing, or says nothing", () => {
    const failed = start([named("a.test"), server("192.0.2.9")]);
    failed.dial.begin(0);
    assert.equal(failed.text(failed.dial.resolveFailed("a.test", failure("ENOTFOUND"), 1)), "connect 1 192.0.2.9");
    const empty = start([named("a.test")]);
    empty.dial.begin(0);
    assert.equal(empty.text(empty.dial.resolved("a.test", [], 1)), "failed resolve_failed");
    const slow = start([named("a.test")]);
    slow.dial.begin(0);
    assert.equal(slow.text(slow.dial.timedOut(15_000)), "failed resolve_timeout");
    assert.equal(slow.text(slow.dial.resolved("a.test", ADDRESSES, 15_001)), "wait");
    const late = start([named("a.test")]);
    late.dial.begin(0);
    assert.equal(late.text(late.dial.resolveFailed("a.test", failure("ETIMEOUT"), 5_000)), "failed resolve_timeout");
  });
});

describe("dial: what came too late, or in another form", () => {
  test("an answer for a server that was given up is not the next one's", () => {
    const { dial, text } = start([named("a.test"), { kind: "name", name: "b.test", port: 8443 }]);
    dial.begin(0);
    assert.equal(text(dial.timedOut(7_500)), "resolve b.test");
    assert.equal(text(dial.resolved("a.test", ["192.0.2.1"], 7_600)), "wait");
    assert.equal(text(dial.resolveFailed("a.test", failure("ETIMEOUT"), 7_700)), "wait");
    assert.equal(text(dial.resolved("b.test", ["192.0.2.2"], 7_800)), "connect 1 192.0.2.2");
  });

  test("addresses are canonical, each once, and what is none is left out", () => {
    const { dial, attempts, text } = start([named("a.test")]);
    dial.begin(0);
    assert.equal(
      text(dial.resolved("a.test", ["::ffff:192.0.2.1", "192.0.2.1", "fe80::1%lo", "x"], 1)),
      "connect 1 192.0.2.1",
    );
    assert.equal(dial.deadline, 15_000, "no second address to try");
    assert.deepEqual(attempts, [{ address: "192.0.2.1:443", outcome: "" }]);
  });
});

/** Servers that have no room until `free` is set, and a line. */
class BusyPlan extends Plan {
  free = false;
  override readonly nextTimeout = 4_000;
  readonly #mayWait: boolean;

  constructor(targets: readonly DialTarget[], mayWait: boolean) {
    super(targets);
    this.#mayWait = mayWait;
  }

  override next(): DialTarget | undefined {
    return this.free ? super.next() : ("busy" as never);
  }

  override wait(): Waiting | undefined {
    const place = { wake() {}, ticket: 1, isNext: true, leave() {} } as unknown as Waiting["place"];
    return this.#mayWait ? { place, timeout: 20_000 } : undefined;
  }

  override abandon(): void {
    this.told.push("abandoned");
  }
}

describe("dial: servers without room", () => {
  const targets = [server("192.0.2.1"), server("192.0.2.2")];

  test("no line: turned away", () => {
    const step = new Dial(new BusyPlan(targets, false), [], 15_000).begin(0);
    assert.equal(step.kind === "failed" && step.reason, "upstream_busy");
  });

  test("waits, looks again now and then, and its time to connect begins afterwards", () => {
    const plan = new BusyPlan(targets, true);
    const dial = new Dial(plan, [], 15_000);
    assert.equal(dial.freed(0).kind, "wait");
    assert.equal(dial.begin(0).kind, "queue");
    assert.equal(dial.deadline, QUEUE_POLL);
    assert.equal(dial.timedOut(QUEUE_POLL).kind, "wait");
    plan.free = true;
    assert.equal(dial.freed(18_000).kind, "connect");
    assert.equal(dial.deadline, 20_000, "half of nextServer.timeout");
    assert.equal(dial.timedOut(20_000).kind, "connect");
    assert.equal(dial.deadline, 33_000, "the last one may take what is left of timeouts.connect");
  });

  test("none is in service", () => {
    const { dial, text } = start([]);
    assert.equal(text(dial.begin(0)), "failed upstream_down");
  });

  test("waits too long", () => {
    const plan = new BusyPlan(targets, true);
    const dial = new Dial(plan, [], 15_000);
    dial.begin(0);
    const step = dial.timedOut(20_000);
    assert.equal(step.kind === "failed" && step.reason, "queue_timeout");
    assert.deepEqual(plan.told, ["abandoned"]);
  });

  test("looks a last time when it has waited as long as it may", () => {
    const plan = new BusyPlan(targets, true);
    const dial = new Dial(plan, [], 15_000);
    dial.begin(0);
    plan.free = true;
    assert.equal(dial.timedOut(20_000).kind, "connect");
  });
});

describe("dial: nextServer.timeout, and servers that close", () => {
  test("no further server after the time", () => {
    const plan = new BusyPlan([server("192.0.2.1"), server("192.0.2.2"), server("192.0.2.3")], false);
    plan.free = true;
    const dial = new Dial(plan, [], 15_000);
    dial.begin(0);
    assert.equal(dial.connectFailed(1, failure("ECONNREFUSED"), 3_999).kind, "connect");
    const step = dial.connectFailed(2, failure("ECONNREFUSED"), 4_000);
    assert.equal(step.kind === "failed" && step.reason, "connect_failed");
  });

  test("one that closes before its first byte is passed over, and when it was the last one that is the reason", () => {
    const { dial, attempts, text } = start([server("192.0.2.1"), server("192.0.2.2")]);
    dial.begin(0);
    dial.connected(1, 5);
    assert.equal(dial.offerUntil(1), undefined, "this plan has nobody else to ask");
    assert.equal(text(dial.lost("ECONNRESET", 2)), "connect 2 192.0.2.2");
    dial.connected(2, 5);
    assert.equal(text(dial.lost("closed", 3)), "failed server_closed");
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ["ECONNRESET", "closed"],
    );
  });
});

describe("dial: what addresses did before", () => {
  test("an address that was overtaken or refused is tried last by the next connection", () => {
    const memory = new AddressMemory();
    const begin = (now: number) => {
      const dial = new Dial(new Plan([named("a.test")]), [], now + 15_000, memory);
      dial.begin(now);
      return dial;
    };
    const ip = (step: ReturnType<Dial["begin"]>) =>
      step.kind === "connect" && step.endpoint.kind === "tcp" ? step.endpoint.ip : step.kind;
    const first = begin(0);
    const addresses = ["2001:db8::1", "192.0.2.1"];
    assert.equal(ip(first.resolved("a.test", addresses, 0)), "2001:db8::1");
    assert.equal(ip(first.timedOut(ATTEMPT_DELAY)), "192.0.2.1");
    first.connected(2, ATTEMPT_DELAY + 5);
    const second = begin(1_000);
    assert.equal(ip(second.resolved("a.test", addresses, 1_000)), "192.0.2.1");
    assert.equal(ip(second.connectFailed(1, failure("ECONNREFUSED"), 1_001)), "2001:db8::1");
    second.connected(2, 1_002);
    assert.equal(ip(begin(2_000).resolved("a.test", addresses, 2_000)), "2001:db8::1");
    assert.equal(ip(begin(90_000).resolved("a.test", addresses, 90_000)), "2001:db8::1");
  });

  test("an address that a proxy tool made up is named when nobody is there", () => {
    const { dial } = start([named("a.test")]);
    dial.begin(0);
    dial.resolved("a.test", ["28.0.0.7"], 1);
    const refused = dial.connectFailed(1, failure("ECONNREFUSED"), 2);
    assert.match(
      refused.kind === "failed" ? refused.detail : "",
      /Cannot connect to 28\.0\.0\.7:443: ECONNREFUSED; .*fake-IP/,
    );
  });
});
