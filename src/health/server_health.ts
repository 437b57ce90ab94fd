/**
 * Whether one server is up, from the results of its checks.
 *
 * Owns: the counting: `fall` failures in a row take it out, `rise` good checks in a row bring it back. It must not
 * check, nor say anything: it tells its caller what changed.
 */

/** `unknown` until the checks have had their first say; it counts as up. */
export type Health = "unknown" | "up" | "down";

export class ServerHealth {
  readonly #rise: number;
  readonly #fall: number;
  #state: Health = "unknown";
  /** Results in a row that speak against the state. */
  #against = 0;

  constructor({ rise, fall }: { readonly rise: number; readonly fall: number }) {
    this.#rise = rise;
    this.#fall = fall;
  }

  get state(): Health {
    return this.#state;
  }

  /** Takes a result. @returns whether the state has changed. */
  add(isWell: boolean): boolean {
    // What is not known yet needs no second proof that it works.
    if (this.#state === "unknown" && isWell) return this.#become("up");
    if (isWell === (this.#state !== "down")) {
      this.#against = 0;
      return false;
    }
    this.#against++;
    if (this.#against < (isWell ? this.#rise : this.#fall)) return false;
    return this.#become(isWell ? "up" : "down");
  }

  #become(state: Health): true {
    this.#state = state;
    this.#against = 0;
    return true;
  }
}
