/** What is counted of a route, or of a server name. */

/** Bytes are those from and to clients, of open connections too. */
export interface Traffic {
  /** That have ended. */
  connections: number;
  /** Those of them that the proxy turned away. */
  rejected: number;
  received: number;
  sent: number;
}

export function noTraffic(): Traffic {
  return { connections: 0, rejected: 0, received: 0, sent: 0 };
}

export function addTraffic(sum: Traffic, { connections, rejected, received, sent }: Readonly<Traffic>): void {
  sum.connections += connections;
  sum.rejected += rejected;
  sum.received += received;
  sum.sent += sent;
}

/** The traffic of `key`, which begins with none. */
export function trafficOf(table: Map<string, Traffic>, key: string): Traffic {
  let traffic = table.get(key);
  if (traffic === undefined) {
    traffic = noTraffic();
    table.set(key, traffic);
  }
  return traffic;
}
