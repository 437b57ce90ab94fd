/**
 * Connections of this thread that wait until a server of an upstream has room.
 *
 * Owns: their order, and whose turn it is: first come, first served over all workers, by the tickets on the board. It must
 * not choose a server: who is woken tries for itself.
 *
 * A connection that one server has already failed waits beside the order: those that it may still have are fewer, and
 * nobody may be kept from the others by it.
 */

import type { Board } from "./board.ts";

/** Tells another worker that a connection of its own is next. */
export type PassOn = (worker: number, upstream: number) => void;

/** A connection's place in the line. */
export class Place {
  /** Called when it is its turn; it leaves, or stays first where there was no room after all. */
  wake: () => void = () => {};
  readonly ticket: number;
  readonly #line: WaitingLine;

  constructor(line: WaitingLine, ticket: number) {
    this.#line = line;
    this.ticket = ticket;
  }

  get isNext(): boolean {
    return this.#line.isNext(this);
  }

  leave(): void {
    this.#line.leave(this);
  }
}

export interface LineLimits {
  readonly size: number;
  readonly timeout: number;
}

export class WaitingLine {
  /** How many may wait, in all workers, and for how many milliseconds each. */
  limits: LineLimits;
  readonly #board: Board;
  readonly #upstream: number;
  readonly #passOn: PassOn;
  readonly #places = new Set<Place>();
  readonly #beside = new Set<Place>();
  /** Who is being woken may give a server back at once: that is seen when it returns. */
  #waking = false;

  /** @param upstream its group on the board. */
  constructor(board: Board, upstream: number, limits: LineLimits, passOn: PassOn) {
    this.#board = board;
    this.#upstream = upstream;
    this.limits = limits;
    this.#passOn = passOn;
  }

  /** Connections that wait, of all workers. */
  get length(): number {
    return this.#board.waiting(this.#upstream);
  }

  /** Nobody waits in the order: who comes may try for itself. */
  get isFree(): boolean {
    if (this.#board.workers === 0) return this.#places.size === 0;
    return this.#board.longestWaiting(this.#upstream) < 0;
  }

  /** The last place; undefined where the line is full. @param again it has tried a server: it waits beside the order. */
  enter(again = false): Place | undefined {
    this.#board.lock(this.#upstream);
    const ticket = this.length < this.limits.size ? this.#board.enterLine(this.#upstream) : undefined;
    this.#board.unlock(this.#upstream);
    if (ticket === undefined) return undefined;
    const place = new Place(this, ticket);
    (again ? this.#beside : this.#places).add(place);
    this.#tellOldest();
    return place;
  }

  leave(place: Place): void {
    if (!this.#places.delete(place) && !this.#beside.delete(place)) return;
    this.#board.leaveLine(this.#upstream);
    this.#tellOldest();
    // Who is first now may have waited for its turn alone.
    this.freed();
  }

  isNext(place: Place): boolean {
    return this.#beside.has(place) || (place === firstOf(this.#places) && this.#isOurTurn());
  }

  /** A server may have room: whoever has waited longest is woken, in whichever worker, and those behind while there is more. */
  freed(): void {
    if (this.#waking) return;
    this.#waking = true;
    try {
      this.#wake();
    } finally {
      this.#waking = false;
    }
  }

  #wake(): void {
    // The others beside the order look for themselves, in a while: a release must not cost a look for each of them.
    for (let beside = firstOf(this.#beside); beside !== undefined; ) {
      beside.wake();
      const next = firstOf(this.#beside);
      beside = next === beside ? undefined : next;
    }
    while (this.length > 0) {
      if (!this.#isOurTurn()) {
        const worker = this.#board.longestWaiting(this.#upstream);
        if (worker >= 0) this.#passOn(worker, this.#upstream);
        return;
      }
      const first = firstOf(this.#places);
      first?.wake();
      if (first === undefined || first === firstOf(this.#places)) return;
    }
  }

  #isOurTurn(): boolean {
    const { workers } = this.#board;
    return workers === 0 || this.#board.longestWaiting(this.#upstream) === this.#board.worker;
  }

  #tellOldest(): void {
    this.#board.setOldest(this.#upstream, firstOf(this.#places)?.ticket ?? 0);
  }
}

function firstOf(places: ReadonlySet<Place>): Place | undefined {
  for (const place of places) return place;
  return undefined;
}
