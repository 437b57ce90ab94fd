/** `GET status`: how the proxy is. */

import type { StatusAnswer } from "./api.ts";
import { findings } from "./findings.ts";
import type { OperatedProxy } from "./operated_proxy.ts";
import { endingsOf, totalsOf } from "./proxy_numbers.ts";

export function statusAnswer(proxy: OperatedProxy): StatusAnswer {
  const { version, runtime, adapter, startedAt, now, state, configuration, upstreams, threads, droppedLines } = proxy;
  const endings = endingsOf(proxy);
  const { workers, listeners, connections, bytes, memory, descriptors } = totalsOf(proxy);
  const status = {
    version,
    runtime,
    adapter,
    startedAt,
    now,
    state,
    workers,
    configuration,
    listeners,
    connections,
    bytes,
    endings,
    memory,
    descriptors,
  };
  return { ...status, findings: findings({ ...status, upstreams, threads, droppedLines }) };
}
