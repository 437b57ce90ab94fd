/**
 * Whether a regular expression can take long on a name.
 *
 * Owns: the answer for what `regex_syntax.ts` understands. An engine that backtracks tries every way in which a text can be
 * matched, so the question is in how many ways a loop can go over one text (degrees of ambiguity: Weber and Seidl, 1991):
 * two ways for one loop, and their number doubles with each turn; loops that hand over to each other at any place, and it
 * grows with a power of the length.
 */

import { PositionGraph } from "./position_graph.ts";
import { ALPHABET, parseRegexSyntax, type RegexNode } from "./regex_syntax.ts";

/** `slow`: with the third power of a name's length, or more. `unknown`: not understood, or too large to be looked at. */
export type RegexRisk = "safe" | "slow" | "exponential" | "unknown";

/** Pairs or triples of positions that are looked at. */
const MOST_STEPS = 2_000_000;
/** Positions of an expression whose power is looked for. */
const MOST_FOR_POWER = 60;
/** Handings over from loop to loop: two make the third power, some tens of milliseconds on the longest name. */
const SLOW = 2;

export function regexRisk(source: string): RegexRisk {
  const tree = parseRegexSyntax(source);
  if (tree === undefined) return "unknown";
  const graph = new PositionGraph();
  if (!graph.build(source.startsWith("^") ? tree : fromAnywhere(tree))) return "unknown";
  const ambiguity = new Ambiguity(graph);
  const isExponential = ambiguity.isExponential();
  if (ambiguity.isExhausted) return "unknown";
  if (isExponential) return "exponential";
  return graph.size <= MOST_FOR_POWER && ambiguity.degree() >= SLOW ? "slow" : "safe";
}

/** Without `^`, an engine tries each place to begin at. */
function fromAnywhere(tree: RegexNode): RegexNode {
  const members = new Set([...ALPHABET].keys());
  const skipped: RegexNode = { kind: "repeat", body: { kind: "set", members }, least: 0, most: Infinity };
  return { kind: "sequence", parts: [skipped, tree] };
}

type Tuple = readonly number[];

class Ambiguity {
  readonly #graph: PositionGraph;
  #steps = 0;

  constructor(graph: PositionGraph) {
    this.#graph = graph;
  }

  get isExhausted(): boolean {
    return this.#steps > MOST_STEPS;
  }

  /** A position that comes back to itself over one text in two ways. */
  isExponential(): boolean {
    return this.#positions().some((position) => this.#goesRoundTwice(position));
  }

  /** How often one loop hands over to the next at any place of one text. */
  degree(): number {
    const degrees = new Map<number, number>();
    const degreeOf = (from: number): number => {
      const known = degrees.get(from);
      if (known !== undefined) return known;
      // Loops that reach each other would be exponential: this ends.
      degrees.set(from, 0);
      let most = 0;
      for (const to of this.#positions()) {
        if (to === from || !this.#handsOver(from, to)) continue;
        const next = Math.max(degreeOf(to), ...this.#reachable(to).map(degreeOf));
        most = Math.max(most, 1 + next);
      }
      degrees.set(from, most);
      return most;
    };
    return Math.max(0, ...this.#positions().map(degreeOf));
  }

  #positions(): number[] {
    return Array.from({ length: this.#graph.size }, (_, position) => position);
  }

  /** From the pair of `start` and itself, by two ways that part, back to that pair. */
  #goesRoundTwice(start: number): boolean {
    const size = this.#graph.size;
    // The pair as one number; doubled, with whether the ways have parted.
    const seen = new Set<number>();
    const waiting: [number, number, boolean][] = [[start, start, false]];
    for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
      const [left, right, hasParted] = pair;
      for (const [nextLeft, ways] of this.#graph.follow(left)) {
        for (const [nextRight] of this.#graph.follow(right)) {
          if (++this.#steps > MOST_STEPS) return false;
          if (!this.#graph.share([nextLeft, nextRight])) continue;
          const parts = hasParted || nextLeft !== nextRight || (left === right && ways > 1);
          if (nextLeft === start && nextRight === start && parts) return true;
          const key = (nextLeft * size + nextRight) * 2 + Number(parts);
          if (seen.has(key)) continue;
          seen.add(key);
          waiting.push([nextLeft, nextRight, parts]);
        }
      }
    }
    return false;
  }

  /** One text leads from `from` to itself, from `from` to `to`, and from `to` to itself. */
  #handsOver(from: number, to: number): boolean {
    if (!this.#reachable(from).includes(from) || !this.#reachable(to).includes(to)) return false;
    if (!this.#reachable(from).includes(to)) return false;
    const goal = String([from, to, to]);
    const seen = new Set<string>();
    const waiting: Tuple[] = [[from, from, to]];
    for (let tuple = waiting.pop(); tuple !== undefined; tuple = waiting.pop()) {
      for (const next of this.#nextOf(tuple)) {
        if (this.#steps > MOST_STEPS) return false;
        const key = String(next);
        if (key === goal) return true;
        if (seen.has(key)) continue;
        seen.add(key);
        waiting.push(next);
      }
    }
    return false;
  }

  *#nextOf([first = 0, second = 0, third = 0]: Tuple): Generator<Tuple> {
    for (const a of this.#graph.follow(first).keys()) {
      for (const b of this.#graph.follow(second).keys()) {
        for (const c of this.#graph.follow(third).keys()) {
          if (++this.#steps > MOST_STEPS) return;
          if (this.#graph.share([a, b, c])) yield [a, b, c];
        }
      }
    }
  }

  readonly #reached = new Map<number, number[]>();

  /** Positions behind `start`; itself only where it is in a loop. */
  #reachable(start: number): number[] {
    const known = this.#reached.get(start);
    if (known !== undefined) return known;
    const found = new Set<number>();
    const waiting = [start];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      for (const next of this.#graph.follow(at).keys()) {
        if (!found.has(next)) waiting.push(next);
        found.add(next);
      }
    }
    this.#reached.set(start, [...found]);
    return [...found];
  }
}
