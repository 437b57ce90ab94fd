import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../../src/config/config.ts";
import { configFromObject } from "../../../src/config/load.ts";
import { findPrivileges, giveUp } from "../../../src/service/privileges.ts";
import type { Account, System } from "../../../src/system.ts";
import { fakeWorld } from "../cli/fake_host.ts";

function configFor(more: object): Config {
  const loaded = configFromObject(
    { listeners: [{ address: "unix:/run/a" }], routes: {}, ...more },
    { toAscii: (name) => name },
  );
  assert.ok("config" in loaded);
  return loaded.config;
}

function hostAs(userId: number, refusal?: string) {
  const events: string[] = [];
  const system = {
    userId,
    findAccount(user: string): Account {
      if (user !== "proxy") throw new Error(`there is no user ${user}`);
      return { uid: 13, gid: 13, text: "proxy:proxy" };
    },
    giveFiles: (paths: readonly string[]) => void events.push(`give ${paths.join(" ")}`),
    async becomeAccount({ text }: Account) {
      if (refusal !== undefined) throw new Error(refusal);
      events.push(`become ${text}`);
    },
  } as Partial<System> as System;
  return { host: { ...fakeWorld({}).context.host, openSystem: async () => system }, events };
}

test("root gives files away, then itself", async () => {
  const { host, events } = hostAs(0);
  const config = configFor({ user: "proxy", log: { access: { path: "/var/log/a" } } });
  const privileges = await findPrivileges(config, host);
  assert.ok(privileges);
  await giveUp(privileges, config, [{ kind: "unix", path: "/run/a" }]);
  assert.deepEqual(events, ["give /var/log/a /run/a", "become proxy:proxy"]);
});

test("nothing is asked for, or nothing is to be done", async () => {
  assert.equal(await findPrivileges(configFor({}), hostAs(0).host), undefined);
  assert.equal(await findPrivileges(configFor({ user: "proxy" }), hostAs(13).host), undefined);
});

test("what cannot be done is said with its remedy", async () => {
  const refused = (user: string, host: ReturnType<typeof hostAs>["host"]) => findPrivileges(configFor({ user }), host);
  await assert.rejects(refused("ghost", hostAs(0).host), {
    message: "Cannot become the user ghost: there is no user ghost; create it, or name another one",
  });
  await assert.rejects(refused("proxy", hostAs(1000).host), /only root can, and this process is user 1000; .*User=/);
  await assert.rejects(findPrivileges(configFor({ user: "proxy" }), fakeWorld({}).context.host), /no way to/);
  const { host } = hostAs(0, "a thread still is the former user");
  const config = configFor({ user: "proxy" });
  await assert.rejects(giveUp((await findPrivileges(config, host))!, config, []), {
    message:
      "Cannot become proxy:proxy: a thread still is the former user; remove user, and let the service manager choose it (User=)",
  });
});
