import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runCli } from "../../../src/cli/cli.ts";
import { fakeWorld } from "./fake_host.ts";

const GROUPS = `
listeners:
  - { address: "10.0.0.5:443", routes: { shop.test: 192.0.2.1:443, "~^s[0-9]+$": 192.0.2.1:443 } }
  - { address: "[2001:db8::6]:443", routes: { pay.test: 192.0.2.2:443, shop.test: 192.0.2.2:443, closed.test: reject } }
`;
const WITH_WILDCARD = `${GROUPS}  - { address: "0.0.0.0:8443", routes: { other.test: 192.0.2.3:443, "mail.*": 192.0.2.3:443 } }\n`;

async function hosts(config: string, ...args: string[]) {
  const world = fakeWorld({ "certless.yaml": config });
  const code = await runCli(["hosts", ...args], world.context);
  return { code, lines: world.out().trim().split("\n").slice(1), err: world.err() };
}

describe("certless hosts where listeners have addresses of their own", () => {
  test("each name gets its group's address, once; what a hosts file cannot hold is a comment", async () => {
    const { code, lines } = await hosts(GROUPS);
    assert.equal(code, 0);
    assert.deepEqual(lines, [
      "10.0.0.5 shop.test",
      "2001:db8::6 pay.test",
      "# ~^s[0-9]+$ is a pattern: add a line for each name of it that you use",
    ]);
    const told = "# 10.0.0.9 stands nowhere: every listener has an address of its own";
    assert.deepEqual((await hosts(GROUPS, "--ip", "10.0.0.9")).lines, [...lines, told]);
  });

  test("a listener on every address needs --ip, and says so", async () => {
    const { code, err } = await hosts(WITH_WILDCARD);
    assert.equal(code, 2);
    assert.match(err, /--ip ADDRESS is missing, the proxy's; 0\.0\.0\.0:8443 does not tell it/);
    const { lines } = await hosts(WITH_WILDCARD, "--ip", "10.0.0.9");
    assert.ok(lines.includes("10.0.0.9 other.test") && lines.includes("10.0.0.5 shop.test"));
    assert.ok(lines.some((line) => line.startsWith("# mail.* is a pattern")));
  });

  test("with one address, --ip says how the developers' machines reach it", async () => {
    const one = 'listeners: [{ address: "10.0.0.5:443" }]\nroutes: { a.test: 192.0.2.1:443 }\n';
    assert.deepEqual((await hosts(one)).lines, ["10.0.0.5 a.test"]);
    assert.deepEqual((await hosts(one, "--ip", "203.0.113.9")).lines, ["203.0.113.9 a.test"]);
  });
});
