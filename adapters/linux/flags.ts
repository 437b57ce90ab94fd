/**
 * Yes and no of many kinds in one number: thousands of idle connections should keep little.
 *
 * Owns: the number. What each bit says is its heir's.
 */

export class Flags {
  #bits = 0;

  protected has(flag: number): boolean {
    return (this.#bits & flag) !== 0;
  }

  protected put(flag: number, value: boolean): void {
    this.#bits = value ? this.#bits | flag : this.#bits & ~flag;
  }
}
