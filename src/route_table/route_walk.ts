/**
 * Goes through the routes of a table in file order, as far as it is told to at a time.
 *
 * Owns: its place in the table. Routes that are passed by cost little: nothing is made of them.
 */

import type { Route, RouteTable } from "../config/config.ts";
import { HEADER } from "./layout.ts";
import { RouteReader } from "./route_reader.ts";

export class RouteWalk {
  readonly #reader: RouteReader;
  readonly #end: number;
  #place: number = HEADER.length;

  constructor(table: Pick<RouteTable, "memory" | "size">) {
    this.#reader = new RouteReader(table);
    this.#end = this.#reader.words[HEADER.entriesEnd] as number;
  }

  get isOver(): boolean {
    return this.#place >= this.#end;
  }

  /** The next one; not to be called when it is over. */
  read(): Route {
    const route = this.#reader.readRoute(this.#place);
    this.#place = this.#reader.next(this.#place);
    return route;
  }

  /** Leaves out up to `count`. @returns how many. */
  pass(count: number): number {
    let passed = 0;
    for (; passed < count && this.#place < this.#end; passed++) this.#place = this.#reader.next(this.#place);
    return passed;
  }
}
