import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstreamPlan } from "../../../src/session/server_plans.ts";
import { createUpstream, order, recordOf } from "../upstream/upstream_fixture.ts";

const SERVERS = '{ servers: ["a:1", "b:1"] }';

test("a server that cannot be reached is passed over", () => {
  const { upstream, told } = createUpstream(SERVERS);
  const plan = new UpstreamPlan(upstream, recordOf(), 443);
  plan.next(0);
  plan.failed(0, "ECONNREFUSED");
  assert.equal(order(upstream, 3), "bbb");
  assert.equal(told.length, 1);
});

test("a connect that never left this machine says nothing of the server, and gives its connection back", () => {
  for (const cause of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) {
    const { upstream, told } = createUpstream(SERVERS);
    const plan = new UpstreamPlan(upstream, recordOf(), 443);
    plan.next(0);
    plan.failed(0, cause);
    assert.equal(upstream.members[0]!.active, 0);
    assert.equal(order(upstream, 4), "baba");
    assert.deepEqual(told, []);
  }
});
