/**
 * Checks in virtual time: a probe whose answers a test decides, and the plans of a configuration.
 */

import assert from "node:assert/strict";
import { loadConfig } from "../../../src/config/load.ts";
import { type CheckPlan, planChecks } from "../../../src/health/check_plan.ts";
import type { Certificate, ProbeRequest, ProbeResult, StartProbe } from "../../../src/probe.ts";
import { configuredPlaces } from "../../../src/upstream/upstream.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

export const CERTIFICATE: Certificate = {
  subject: "a.test",
  names: ["a.test"],
  issuer: "CA one",
  notBefore: 0,
  notAfter: 4_000_000_000_000,
  fingerprint: "00",
  mismatch: undefined,
  untrusted: undefined,
};

export const WELL: ProbeResult = { ok: true, duration: 1, certificate: CERTIFICATE };

export function failed(code: string, stage: "connect" | "handshake" | "exchange" = "connect"): ProbeResult {
  return { ok: false, duration: 1, stage, error: { code, message: code } };
}

export function planOf(healthCheck: unknown, servers: readonly unknown[] = ["10.0.0.1:443"], more = ""): CheckPlan[] {
  const yaml = `
listeners: [{ address: "0.0.0.0:8443" }]
routes: { a.test: pool, b.test: pool, "*.c.test": pool }
upstreams: { pool: { servers: ${JSON.stringify(servers)}, healthCheck: ${JSON.stringify(healthCheck)} ${more} } }
`;
  const loaded = loadConfig(yaml, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const upstream = loaded.config.upstreams.get("pool")!;
  return planChecks(loaded.config, [], upstream, configuredPlaces(upstream, { servers: [0, 1, 2, 3, 4, 5, 6, 7, 8] }));
}

/** A world of probes: each takes `delay` ms and has the answer that `answer` gives; undefined: none comes. */
export class ProbeWorld {
  readonly clock = new VirtualClock();
  readonly requests: ProbeRequest[] = [];
  running = 0;
  most = 0;
  delay = 5;
  answer: (request: ProbeRequest) => ProbeResult | undefined = () => WELL;
  names: Readonly<Record<string, readonly string[]>> = {};

  readonly probe: StartProbe = (request, done) => {
    this.requests.push(request);
    this.running++;
    this.most = Math.max(this.most, this.running);
    let open = true;
    const close = (): boolean => {
      if (!open) return false;
      open = false;
      this.running--;
      return true;
    };
    this.clock.after(this.delay, () => {
      const result = this.answer(request);
      if (result !== undefined && close()) done(result);
    });
    return () => void close();
  };

  resolve(name: string, answer: (addresses: readonly string[] | { code: string; message: string }) => void): void {
    this.clock.after(1, () => answer(this.names[name] ?? { code: "ENOTFOUND", message: "" }));
  }
}
