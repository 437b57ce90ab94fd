/**
 * Probes, ready when they are needed.
 *
 * Owns: that `node:tls` is loaded by the first probe only: most threads never make one.
 */

import type { ProbeRequest, ProbeResult } from "../../src/probe.ts";

/** Connects once, and tells how it went. */
export function startProbe(request: ProbeRequest, done: (result: ProbeResult) => void): () => void {
  let cancelled = false;
  let cancel = (): void => {
    cancelled = true;
  };
  void import("./probe_connection.ts").then(({ ProbeConnection }) => {
    if (cancelled) return;
    const connection = new ProbeConnection(request, done);
    cancel = () => connection.cancel();
  });
  return () => cancel();
}
