/**
 * Does what the bench asks for: tries, holds, measures.
 *
 * Owns: the order of a measurement, and that nothing of one is left for the next.
 */

import { performance } from "node:perf_hooks";
import process from "node:process";
import { coreSeconds, cpuSeconds, cpuTime } from "../cpu.ts";
import { Bulk } from "./bulk.ts";
import { Connections } from "./connections.ts";
import { EventLoop } from "./event_loop.ts";
import { Origin } from "./origin.ts";
import type { LoadAnswer, LoadRequest, Sample } from "./protocol.ts";
import { RoundTrips } from "./round_trips.ts";
import type { Workload } from "./workload.ts";

type Measure = Extract<LoadRequest, { do: "measure" }>;

/** Milliseconds for connections to end after a measurement, before they are cut off. */
const WIND_DOWN = 300;
/** Connections on their way at once while many are opened: fewer than any proxy's backlog. */
const OPENING = 64;

export class LoadGenerator {
  readonly #loop = new EventLoop();
  readonly #origin = new Origin(this.#loop);
  readonly #held: RoundTrips[] = [];

  get originPort(): number {
    return this.#origin.port;
  }

  handle(request: LoadRequest): LoadAnswer {
    switch (request.do) {
      case "first":
        return { done: this.#first(request.port, request.seconds) };
      case "hold":
        return { held: this.#hold(request.port, request.connections, request.seconds) };
      case "release":
        this.#windDown(this.#held.splice(0));
        return { done: true };
      case "measure":
        return { sample: this.#measure(request) };
    }
  }

  #first(port: number, seconds: number): boolean {
    this.#origin.part = "echo";
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      const one = new RoundTrips(this.#loop, port, 1, false);
      one.start();
      this.#loop.run(end - performance.now(), () => one.greeted > 0 || one.errors > 0);
      one.closeAll();
      if (one.greeted > 0) {
        this.#windDown([]);
        return true;
      }
      this.#loop.run(1);
    }
    return false;
  }

  #hold(port: number, connections: number, seconds: number): number {
    this.#origin.part = "echo";
    const missing = connections - this.#held.reduce((sum, { open }) => sum + open, 0);
    const more = new RoundTrips(this.#loop, port, missing, false);
    this.#held.push(more);
    const end = performance.now() + seconds * 1000;
    let opened = 0;
    while (more.greeted < missing && more.errors === 0 && performance.now() < end) {
      while (opened < missing && opened - more.greeted < OPENING) {
        more.openOne();
        opened++;
      }
      const before = more.greeted;
      this.#loop.run(end - performance.now(), () => more.greeted > before || more.errors > 0);
    }
    return connections - missing + more.greeted;
  }

  #measure({ load, port, parallel, warmUp, seconds, pids, cores }: Measure): Sample {
    const workload = this.#workload(load, port, parallel);
    this.#origin.part = workload.part;
    workload.start();
    this.#loop.run(warmUp * 1000);
    workload.latencies?.clear();
    const [count, busy, proxy, own, begin] = [
      workload.count,
      coreSeconds(cores),
      cpuTime(pids),
      process.cpuUsage(),
      performance.now(),
    ];
    this.#loop.run(seconds * 1000);
    const elapsed = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(own);
    const proxySeconds = cpuSeconds(proxy, cpuTime(pids));
    const generatorSeconds = (user + system) / 1e6;
    const sample = {
      count: workload.count - count,
      seconds: elapsed,
      proxySeconds,
      generatorSeconds,
      strangerSeconds: Math.max(0, coreSeconds(cores) - busy - proxySeconds - generatorSeconds),
      errors: workload.errors,
    };
    const { latencies } = workload;
    const found = latencies && { p50: latencies.percentile(0.5), p99: latencies.percentile(0.99) };
    this.#windDown([workload]);
    return { ...sample, ...found };
  }

  #workload(load: Measure["load"], port: number, parallel: number): Workload {
    if (load === "connections") return new Connections(this.#loop, port, parallel);
    if (load === "round_trips") return new RoundTrips(this.#loop, port, parallel);
    return new Bulk(this.#loop, this.#origin, port, parallel, load);
  }

  #windDown(workloads: readonly Workload[]): void {
    for (const workload of workloads) workload.stop();
    this.#loop.run(WIND_DOWN, () => this.#origin.open === 0 && workloads.every(({ open }) => open === 0));
    for (const workload of workloads) workload.closeAll();
    this.#origin.closeAll();
  }
}
