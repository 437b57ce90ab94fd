/**
 * What the bench asks of its load generator and what comes back: one JSON object a line.
 *
 * Owns: the shapes, and the sizes that both sides and the reader of a report have to know.
 */

export const ROUND_TRIP_BYTES = 64;
export const ANSWER_BYTES = 3072;

/** What the connections do, and what is counted: bytes, closed connections, round trips. */
export type Load = "down" | "up" | "connections" | "round_trips";

export type LoadRequest =
  /** Tries once every millisecond until a connection is answered through `port`. */
  | { readonly do: "first"; readonly port: number; readonly seconds: number }
  /** Opens connections until `connections` are held, each having been answered once; they then stay idle. */
  | { readonly do: "hold"; readonly port: number; readonly connections: number; readonly seconds: number }
  | { readonly do: "release" }
  | {
      readonly do: "measure";
      readonly load: Load;
      readonly port: number;
      readonly parallel: number;
      /** Seconds that run before anything is counted. */
      readonly warmUp: number;
      readonly seconds: number;
      /** The proxy's processes, to read their CPU time at the very start and end. */
      readonly pids: readonly number[];
      /** The proxy's core and the generator's, to see who else was there. */
      readonly cores: readonly number[];
    };

export interface Sample {
  readonly count: number;
  readonly seconds: number;
  readonly proxySeconds: number;
  readonly generatorSeconds: number;
  /** CPU time that the two cores gave to others: more than a little, and the numbers are not to be trusted. */
  readonly strangerSeconds: number;
  /** Connections that ended otherwise than they should. */
  readonly errors: number;
  /** Microseconds, of round trips. */
  readonly p50?: number;
  readonly p99?: number;
}

export type LoadAnswer =
  /** The first line, unasked. */
  | { readonly ready: true; readonly originPort: number; readonly runtime: string }
  | { readonly done: boolean }
  | { readonly held: number }
  | { readonly sample: Sample }
  | { readonly error: string };
