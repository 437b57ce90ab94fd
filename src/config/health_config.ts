/**
 * An upstream's active checks as the program sees them. Types only.
 */

/** Durations in milliseconds. */
export interface HealthCheckConfig {
  readonly type: "tcp" | "tls" | "http";
  /** From the end of one check to the next, before jitter. */
  readonly interval: number;
  /** For one check; not longer than `interval`. */
  readonly timeout: number;
  /** Good checks in a row that bring a server back, failed ones that take it out. */
  readonly rise: number;
  readonly fall: number;
  /** Where to check; undefined: the server's own port. */
  readonly port: number | undefined;
  /** `tls`: the name to ask for; undefined: those of the routes. */
  readonly serverName: string | undefined;
  /** `tls`: a certificate that is not valid is a failure. */
  readonly verify: boolean;
  /** `tls`: warn so long before a certificate expires. */
  readonly expiryWarning: number;
  /** `http`. */
  readonly request: HealthRequest;
  /** What becomes of a server's connections when it goes down. */
  readonly onDown: "keep" | "cut";
}

export interface HealthRequest {
  readonly method: "GET" | "HEAD" | "OPTIONS";
  readonly path: string;
  /** undefined: a route's name, else the server's address. */
  readonly host: string | undefined;
  readonly expect: StatusRange;
}

/** HTTP statuses, both ends included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}
