/**
 * What may be asked of a thread that carries connections, and what it answers. Types only; all of it survives structured
 * cloning. The shapes that people see are those of `admin/api.ts`.
 */

import type { ConnectionAnswer, LogLine } from "../admin/api.ts";

/** Parts of text that must all occur; an absent one holds everything. */
export interface ConnectionFilter {
  readonly name?: string | undefined;
  readonly route?: string | undefined;
  readonly upstream?: string | undefined;
  readonly server?: string | undefined;
  readonly client?: string | undefined;
  readonly listener?: string | undefined;
}

export interface LogFilter {
  /** The whole code. */
  readonly reason?: string | undefined;
  readonly name?: string | undefined;
}

/** The questions and their answers, by kind. */
export interface WorkerAnswers {
  /** Open connections that match, the newest first. */
  readonly connections: { readonly total: number; readonly connections: readonly ConnectionAnswer[] };
  /** When those that match were accepted, the newest first. */
  readonly accept_times: { readonly total: number; readonly times: Float64Array };
  /** Connections that have ended, the latest first. */
  readonly log: readonly LogLine[];
  /** Whether there was one with this number. */
  readonly close: boolean;
}

export type WorkerQuestion =
  | { readonly kind: "connections"; readonly filter: ConnectionFilter; readonly offset: number; readonly limit: number }
  | { readonly kind: "accept_times"; readonly filter: ConnectionFilter; readonly limit: number }
  | { readonly kind: "log"; readonly filter: LogFilter; readonly limit: number }
  | { readonly kind: "close"; readonly id: number };

export type AnswerTo<Question extends WorkerQuestion> = WorkerAnswers[Question["kind"]];
