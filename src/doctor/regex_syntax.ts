/**
 * A regular expression as a tree, as far as host names are concerned.
 *
 * Owns: JavaScript's grammar of patterns, with every set of characters cut down to those that a canonical host name has:
 * routes match nothing else. What it does not understand (references, looking around) it says.
 */

/** The characters of a canonical host name. */
export const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

export type RegexNode =
  /** Which of `ALPHABET` it matches, by index. */
  | { readonly kind: "set"; readonly members: ReadonlySet<number> }
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "choice"; readonly options: readonly RegexNode[] }
  /** `most` is Infinity where there is no bound. */
  | { readonly kind: "repeat"; readonly body: RegexNode; readonly least: number; readonly most: number };

/** The tree of `source`; undefined where it has what is not understood. */
export function parseRegexSyntax(source: string): RegexNode | undefined {
  try {
    return new Parser(source).parse();
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

class NotUnderstood extends Error {}

const EMPTY: RegexNode = { kind: "sequence", parts: [] };
const EVERYTHING = membersWhere(() => true);

function membersWhere(holds: (char: string) => boolean): ReadonlySet<number> {
  return new Set([...ALPHABET].flatMap((char, index) => (holds(char) ? [index] : [])));
}

/** Without case, as routes are matched. */
function only(char: string): ReadonlySet<number> {
  return membersWhere((other) => other === char.toLowerCase());
}

const CLASSES: Readonly<Record<string, ReadonlySet<number>>> = {
  d: membersWhere((char) => /\d/.test(char)),
  D: membersWhere((char) => /\D/.test(char)),
  w: membersWhere((char) => /\w/.test(char)),
  W: membersWhere((char) => /\W/.test(char)),
  s: new Set(),
  S: EVERYTHING,
};
const CONTROLS = "tnrvf0";

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): RegexNode {
    const tree = this.#choice();
    if (this.#at < this.#source.length) throw new NotUnderstood();
    return tree;
  }

  get #next(): string | undefined {
    return this.#source[this.#at];
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): RegexNode {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    return options.length === 1 ? (options[0] as RegexNode) : { kind: "choice", options };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    while (this.#next !== undefined && this.#next !== "|" && this.#next !== ")") parts.push(this.#term());
    return { kind: "sequence", parts };
  }

  #term(): RegexNode {
    let node = this.#atom();
    for (let bounds = this.#bounds(); bounds !== undefined; bounds = undefined) {
      node = { kind: "repeat", body: node, least: bounds[0], most: bounds[1] };
      // Lazy or not: who backtracks tries the same ways.
      this.#take("?");
    }
    return node;
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take("*")) return [0, Infinity];
    if (this.#take("+")) return [1, Infinity];
    if (this.#take("?")) return [0, 1];
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at));
    if (found === null) return undefined;
    this.#at += found[0].length;
    const least = Number(found[1]);
    return [least, found[2] === undefined ? least : found[3] === "" ? Infinity : Number(found[3])];
  }

  #atom(): RegexNode {
    const char = this.#source[this.#at++];
    switch (char) {
      case "^":
      case "$":
        return EMPTY;
      case ".":
        return { kind: "set", members: EVERYTHING };
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", members: this.#set() };
      case "\\":
        return this.#escape();
      default:
        return { kind: "set", members: only(char as string) };
    }
  }

  #group(): RegexNode {
    if (this.#take("?")) {
      const named = /^<[A-Za-z_$][\w$]*>/.exec(this.#source.slice(this.#at));
      if (named !== null) this.#at += named[0].length;
      else if (!this.#take(":")) throw new NotUnderstood();
    }
    const body = this.#choice();
    if (!this.#take(")")) throw new NotUnderstood();
    return body;
  }

  #escape(): RegexNode {
    const char = this.#source[this.#at++] ?? "";
    if (char === "b" || char === "B") return EMPTY;
    return { kind: "set", members: this.#escaped(char) };
  }

  #escaped(char: string): ReadonlySet<number> {
    const known = CLASSES[char];
    if (known !== undefined) return known;
    if (CONTROLS.includes(char)) return new Set();
    if (/[A-Za-z1-9]/.test(char)) throw new NotUnderstood();
    return only(char);
  }

  #set(): ReadonlySet<number> {
    const negated = this.#take("^");
    const members = new Set<number>();
    while (!this.#take("]")) {
      const first = this.#member();
      const isRange = this.#next === "-" && this.#source[this.#at + 1] !== "]" && typeof first === "string";
      if (isRange) this.#at++;
      const last = isRange ? this.#member() : first;
      if (isRange && typeof last !== "string") throw new NotUnderstood();
      for (const member of typeof first === "string" ? between(first, last as string) : first) members.add(member);
    }
    return negated ? membersWhere((char) => !members.has(ALPHABET.indexOf(char))) : members;
  }

  /** A character, or the class that an escape stands for. */
  #member(): string | ReadonlySet<number> {
    const char = this.#source[this.#at++];
    if (char === undefined) throw new NotUnderstood();
    if (char !== "\\") return char;
    const escaped = this.#source[this.#at++] ?? "";
    return /[-\\\]^.$*+?(){}|/]/.test(escaped) ? escaped : this.#escaped(escaped);
  }
}

/** Without case: a range of capitals holds the small letters. */
function between(first: string, last: string): ReadonlySet<number> {
  const holds = (char: string): boolean => char >= first && char <= last;
  return membersWhere((char) => holds(char) || holds(char.toUpperCase()));
}
