/**
 * A regular expression by its positions (Glushkov): each place where a character is matched is one, and `follow` says
 * which may come next, and in how many ways.
 *
 * Owns: making that of a tree, within bounds. What it means is `regex_risk.ts`'.
 */

import type { RegexNode } from "./regex_syntax.ts";

/** Positions of an expression. */
const MOST_POSITIONS = 400;
/** Copies that a bounded repetition is looked at with. */
const MOST_COPIES = 8;

/** What a part of the expression is to its surroundings. */
interface Part {
  readonly isOptional: boolean;
  readonly first: readonly number[];
  readonly last: readonly number[];
}

const NOTHING: Part = { isOptional: true, first: [], last: [] };

export class PositionGraph {
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

  get size(): number {
    return this.#sets.length;
  }

  /** What may come behind a position, and in how many ways. */
  follow(position: number): ReadonlyMap<number, number> {
    return this.#follow[position] as Map<number, number>;
  }

  /** Whether there is a character that all of these positions match. */
  share(positions: readonly number[]): boolean {
    const [first, ...others] = positions.map((position) => this.#sets[position] as ReadonlySet<number>);
    for (const member of first ?? []) if (others.every((set) => set.has(member))) return true;
    return false;
  }
}
