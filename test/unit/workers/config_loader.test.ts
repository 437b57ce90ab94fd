import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FileReader } from "../../../src/config_file.ts";
import type { Host, WorkerEvents, WorkerThread } from "../../../src/host.ts";
import { ConfigLoader } from "../../../src/workers/config_loader.ts";
import { answerLoad, type LoadAnswer, type LoadRequest } from "../../../src/workers/load_request.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

const FILES: Readonly<Record<string, string>> = {
  good: "listeners: [{ address: 10.0.0.5:443, trustedProxies: [10.0.0.0/8], proxyProtocol: true }]\nroutes: { '~^a': direct }\n",
  bad: "listeners: 1",
};

const FILE_HOST: FileReader = {
  readTextFile: async (path) => FILES[path] ?? Promise.reject({ code: "ENOENT", message: "" }),
  listDirectory: async () => [],
  domainToAscii: (name) => name,
};

/** A thread that gets and gives clones, as a real one does, and may end instead of answering. */
class FakeThread implements WorkerThread<LoadRequest> {
  readonly events: WorkerEvents<LoadAnswer>;
  readonly role: string | undefined;
  terminated = false;
  mute = false;

  constructor(events: WorkerEvents<LoadAnswer>, role: string | undefined) {
    this.events = events;
    this.role = role;
  }

  post(request: LoadRequest): void {
    if (this.mute) return;
    void answerLoad(FILE_HOST, structuredClone(request)).then((answer) => this.events.message(structuredClone(answer)));
  }

  wakeBy(): void {}

  terminate(): void {
    this.terminated = true;
    this.events.exited("terminated");
  }
}

function world() {
  const clock = new VirtualClock();
  const threads: FakeThread[] = [];
  const startWorker = ((events: WorkerEvents<LoadAnswer>, role?: string) => {
    const thread = new FakeThread(events, role);
    threads.push(thread);
    return thread;
  }) as unknown as Host["startWorker"];
  return { clock, threads, loader: new ConfigLoader({ clock, host: { ...FILE_HOST, startWorker } }) };
}

describe("config loader", () => {
  test("reads in a thread, which it keeps", async () => {
    const { loader, threads, clock } = world();
    const first = await loader.load("good");
    assert.ok("config" in first);
    assert.equal(first.config.listeners[0]?.routes, first.config.routes);
    assert.ok("errors" in (await loader.load("bad")));
    assert.deepEqual(
      threads.map(({ role }) => role),
      ["loader"],
    );
    clock.run(29_999);
    assert.equal(threads[0]?.terminated, false);
    clock.run(30_000);
    assert.equal(threads[0]?.terminated, true);
    assert.ok("config" in (await loader.load("good")));
    assert.equal(threads.length, 2);
  });

  test("a file after another begins the time anew, and none ends while it is read", async () => {
    const { loader, threads, clock } = world();
    await loader.load("good");
    clock.run(20_000);
    threads[0]!.mute = true;
    const slow = loader.load("good");
    clock.run(100_000);
    assert.equal(threads[0]?.terminated, false);
    threads[0]!.events.message({ id: 2, file: { code: "X", reason: "slow" } });
    assert.deepEqual(await slow, { code: "X", reason: "slow" });
  });

  test("says what cannot be read", async () => {
    const { loader } = world();
    assert.deepEqual(await loader.load("none"), { code: "ENOENT", reason: "Cannot read none: there is no such file" });
  });

  test("a thread that ends is a failure of what it was reading, and of nothing else", async () => {
    const { loader, threads } = world();
    await loader.load("good");
    threads[0]!.mute = true;
    const lost = loader.load("good");
    threads[0]!.events.exited("out of memory");
    assert.deepEqual(await lost, {
      code: "EUNKNOWN",
      reason: "Cannot read good: the thread that reads it has ended (out of memory)",
    });
    assert.ok("config" in (await loader.load("good")));
    threads[0]!.events.exited("again");
    assert.ok("config" in (await loader.load("good")));
    assert.equal(threads.length, 2);
  });

  test("close ends the thread and answers", async () => {
    const { loader, threads, clock } = world();
    await loader.load("good");
    threads[0]!.mute = true;
    const lost = loader.load("good");
    loader.close();
    assert.ok("reason" in (await lost));
    assert.equal(threads[0]?.terminated, true);
    assert.equal(clock.pending, 0);
    loader.close();
  });

  test("without threads, here", async () => {
    const clock = new VirtualClock();
    const loader = new ConfigLoader({ clock, host: { ...FILE_HOST, startWorker: undefined } });
    assert.ok("config" in (await loader.load("good")));
    assert.ok("errors" in (await loader.load("bad")));
    loader.close();
    assert.equal(clock.pending, 0);
  });
});
