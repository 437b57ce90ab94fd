/**
 * The admin interface, as the page asks it.
 *
 * Owns: requests with their deadline, the token, which is kept for this tab alone, and errors in words.
 */

import type { ErrorAnswer } from "../src/admin/api.ts";

const DEADLINE = 10_000;
const KEPT = "certless-token";

/** A question that was answered with no. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export class AdminClient {
  #token = sessionStorage.getItem(KEPT);
  /** Told when the token is missing or wrong. */
  onLocked: () => void = () => {};

  setToken(token: string): void {
    this.#token = token;
    sessionStorage.setItem(KEPT, token);
  }

  get hasToken(): boolean {
    return this.#token !== null;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const search = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
    return this.#ask<T>(search === "" ? path : `${path}?${search}`, {});
  }

  /** @param wait milliseconds; some actions take their time. */
  post<T>(path: string, body: unknown, wait = 60_000): Promise<T> {
    const headers = { "Content-Type": "application/json", "X-Certless-Admin": "1" };
    return this.#ask<T>(path, { method: "POST", headers, body: JSON.stringify(body) }, wait);
  }

  /** @throws {Refusal} for a status from 400, but a reload's 422, which is its answer; {Error} where nobody answers. */
  async #ask<T>(path: string, options: RequestInit, wait = DEADLINE): Promise<T> {
    const headers = new Headers(options.headers);
    if (this.#token !== null) headers.set("Authorization", `Bearer ${this.#token}`);
    const response = await fetch(`/api/v1/${path}`, {
      ...options,
      headers,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(wait),
    });
    if (response.status === 401) this.onLocked();
    const answer: unknown = await response.json().catch(() => undefined);
    if (answer === undefined) throw new Refusal(response.status, `Cannot read the answer: status ${response.status}`);
    if (response.ok || (response.status === 422 && path === "reload" && isOutcome(answer))) return answer as T;
    throw new Refusal(response.status, messageOf(answer, response.status));
  }
}

function isOutcome(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "ok" in answer;
}

function messageOf(answer: unknown, status: number): string {
  const { message } = (answer ?? {}) as Partial<ErrorAnswer>;
  return typeof message === "string" ? message : `Cannot do this: status ${status}`;
}
