import assert from "node:assert/strict";
import { test } from "node:test";
import { givingUp, MOST_SILENT } from "../../../src/doctor/giving_up.ts";
import type { DnsResolver } from "../../../src/host.ts";

function asking(codeOf: (question: number) => string) {
  let asked = 0;
  const answer = (_: string, answered: (error: { code: string; message: string }) => void): void =>
    answered({ code: codeOf(asked++), message: "" });
  const resolver: DnsResolver = {
    concurrency: 1,
    resolve: answer,
    resolveService: answer,
    resolveBindings: answer,
    resolveByDns: answer,
    close() {},
  };
  const bounded = givingUp(resolver);
  let answers = 0;
  for (let index = 0; index < 100; index++) bounded.resolver.resolve("a.test", () => answers++);
  return { asked, answers, unasked: bounded.unasked };
}

test("a resolver that stays silent is given up, and every question has an answer", () => {
  assert.deepEqual(
    asking(() => "ETIMEOUT"),
    { asked: MOST_SILENT, answers: 100, unasked: 100 - MOST_SILENT },
  );
});

test("one that answers now and then is asked on", () => {
  const codeOf = (question: number): string => (question % MOST_SILENT === 0 ? "ENOTFOUND" : "ETIMEOUT");
  assert.deepEqual(asking(codeOf), { asked: 100, answers: 100, unasked: 0 });
});
