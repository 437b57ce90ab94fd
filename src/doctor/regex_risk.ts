/**
 * Whether a regular expression can take exponentially long on a name.
 *
 * Owns: the answer, exact for what `regex_syntax.ts` understands: an engine that backtracks tries every way in which a text
 * can be matched, so the question is whether a loop can go over one text in two ways (exponential ambiguity: Weber and
 * Seidl, 1991).
 *
 * By positions: each place of the expression where a character is matched is one, and `follow` says which may come next,
 * and in how many ways.
 */

import { parseRegexSyntax, type RegexNode } from "./regex_syntax.ts";

/** `unknown`: it has what is not understood, or is too large to be looked at. */
export type RegexRisk = "safe" | "exponential" | "unknown";

/** Positions of an expression; pairs of them are looked at. */
const MOST_POSITIONS = 400;
/** Copies that a bounded repetition is looked at with. */
const MOST_COPIES = 8;

export function regexRisk(source: string): RegexRisk {
  const tree = parseRegexSyntax(source);
  if (tree === undefined) return "unknown";
  const graph = new PositionGraph();
  if (!graph.build(tree)) return "unknown";
  return graph.isAmbiguous() ? "exponential" : "safe";
}

/** What a part of the expression is to its surroundings. */
interface Part {
  readonly isOptional: boolean;
  readonly first: readonly number[];
  readonly last: readonly number[];
}

const NOTHING: Part = { isOptional: true, first: [], last: [] };

class PositionGraph {
  readonly #sets: ReadonlySet<number>[] = [];
  /** From each position to the next ones, and in how many ways. */
  readonly #follow: Map<number, number>[] = [];

  /** False: it is too large. */
  build(tree: RegexNode): boolean {
    return this.#part(tree) !== undefined;
  }

  #part(node: RegexNode): Part | undefined {
    switch (node.kind) {
      case "set":
        return this.#position(node.members);
      case "sequence":
        return this.#sequence(node.parts);
      case "choice":
        return this.#choice(node.options);
      case "repeat":
        return this.#repeat(node.body, node.least, node.most);
    }
  }

  #position(members: ReadonlySet<number>): Part | undefined {
    const position = this.#sets.length;
    if (position >= MOST_POSITIONS) return undefined;
    this.#sets.push(members);
    this.#follow.push(new Map());
    return { isOptional: false, first: [position], last: [position] };
  }

  #sequence(nodes: readonly RegexNode[]): Part | undefined {
    let whole: Part | undefined = NOTHING;
    for (const node of nodes) {
      const part = this.#part(node);
      if (part === undefined) return undefined;
      whole = this.#join(whole, part);
    }
    return whole;
  }

  #join(left: Part, right: Part): Part {
    this.#connect(left.last, right.first);
    return {
      isOptional: left.isOptional && right.isOptional,
      first: left.isOptional ? [...left.first, ...right.first] : left.first,
      last: right.isOptional ? [...left.last, ...right.last] : right.last,
    };
  }

  #choice(options: readonly RegexNode[]): Part | undefined {
    const parts = options.map((option) => this.#part(option));
    if (parts.some((part) => part === undefined)) return undefined;
    const known = parts as readonly Part[];
    return {
      isOptional: known.some(({ isOptional }) => isOptional),
      first: known.flatMap(({ first }) => first),
      last: known.flatMap(({ last }) => last),
    };
  }

  /** Copies one behind the other: a further one only where the one before is there, or there would be ways that are none. */
  #repeat(body: RegexNode, least: number, most: number): Part | undefined {
    if (most === 0) return NOTHING;
    const needed = most === Infinity ? Math.max(least, 1) : most;
    const copies: Part[] = [];
    for (let copy = 0; copy < Math.min(needed, MOST_COPIES); copy++) {
      const part = this.#part(body);
      if (part === undefined) return undefined;
      const before = copies.at(-1);
      if (before !== undefined) this.#connect(before.last, part.first);
      copies.push(part);
    }
    const [first, last] = [copies[0] as Part, copies.at(-1) as Part];
    if (most === Infinity) this.#connect(last.last, last.first);
    const ends = first.isOptional ? copies : copies.slice(Math.min(Math.max(least, 1), copies.length) - 1);
    return {
      isOptional: least === 0 || first.isOptional,
      first: first.first,
      last: ends.flatMap((copy) => copy.last),
    };
  }

  #connect(from: readonly number[], to: readonly number[]): void {
    for (const source of from) {
      const next = this.#follow[source] as Map<number, number>;
      for (const target of to) next.set(target, (next.get(target) ?? 0) + 1);
    }
  }

  /** A position that comes back to itself over one text in two ways. */
  isAmbiguous(): boolean {
    return this.#sets.some((_, position) => this.#goesRoundTwice(position));
  }

  /** From the pair of `start` and itself, by two ways that part, back to that pair. */
  #goesRoundTwice(start: number): boolean {
    const size = this.#sets.length;
    // The pair as one number; doubled, with whether the ways have parted.
    const seen = new Set<number>();
    const waiting: [number, number, boolean][] = [[start, start, false]];
    for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
      const [left, right, hasParted] = pair;
      for (const [nextLeft, ways] of this.#follow[left] as Map<number, number>) {
        for (const [nextRight] of this.#follow[right] as Map<number, number>) {
          if (!this.#share(nextLeft, nextRight)) continue;
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

  #share(left: number, right: number): boolean {
    const [one, other] = [this.#sets[left] as ReadonlySet<number>, this.#sets[right] as ReadonlySet<number>];
    if (left === right) return one.size > 0;
    for (const member of one) if (other.has(member)) return true;
    return false;
  }
}
