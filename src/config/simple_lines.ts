/**
 * Long runs of simple lines (`line_scanner.ts`) are taken out of a text before it is parsed, since a file of a million
 * routes would otherwise be a million objects of a general parser, and twenty seconds.
 *
 * Owns: what is taken out, and the proof that it meant what it is read as: the first and the last line of each run stay,
 * and the parser finds the first one's key in a block map. A neighbour with the same indentation is then a pair of the same map. What
 * cannot be proved, or is faulty, is put back, and the text is parsed again.
 */

import { LineScanner } from "./line_scanner.ts";

/** Fewer lines are parsed as any others. */
const SHORTEST = 256;

/** A pair of a map, as it was written. */
export interface WrittenPair {
  readonly key: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

/** Pairs that were taken out of a map. */
export interface TakenPairs {
  /** The included file that they stand in; absent: the configuration's own. */
  readonly file?: string;
  pairs(): Iterable<WrittenPair>;
  /** Something is wrong with that line: it is to be read as any other. */
  doubt(line: number): void;
}

interface Run {
  /** Of the first key, in `rest`. */
  readonly at: number;
  /** What was taken out of the text, and where it was in `rest`. */
  readonly start: number;
  readonly end: number;
  readonly gap: number;
  /** Of the first line that was taken out. */
  readonly line: number;
  readonly count: number;
}

export class SimpleLines {
  readonly #text: string;
  readonly #runs: readonly Run[];
  readonly #unproved: Map<number, Run>;
  readonly #taken = new Map<object, Run[]>();
  readonly #unread: Set<Run>;
  /** Lines that are to be read as any others. */
  readonly doubts: Set<number>;
  #isMissed = false;
  /** The text without them. */
  readonly rest: string;

  private constructor(text: string, runs: readonly Run[], doubts: ReadonlySet<number>) {
    this.#text = text;
    this.#runs = runs;
    this.#unproved = new Map(runs.map((run) => [run.at, run]));
    this.#unread = new Set(runs);
    this.doubts = new Set(doubts);
    let [rest, from] = ["", 0];
    for (const { start, end } of runs) {
      rest += text.slice(from, start);
      from = end;
    }
    this.rest = rest + text.slice(from);
  }

  /** Undefined: there is no long run of them. @param doubts lines that stay. */
  static find(text: string, doubts: ReadonlySet<number>, shortest = SHORTEST): SimpleLines | undefined {
    const runs = findRuns(text, doubts, shortest);
    return runs.length === 0 ? undefined : new SimpleLines(text, runs, doubts);
  }

  /** The parser has found a key at `offset` of `rest`, in a block map that became `map`. */
  prove(map: object, offset: number): void {
    const run = this.#unproved.get(offset);
    if (run === undefined) return;
    this.#unproved.delete(offset);
    const runs = this.#taken.get(map) ?? [];
    runs.push(run);
    this.#taken.set(map, runs);
  }

  /** Somebody asked for the place of what may be among them, or has used a map twice. */
  miss(): void {
    this.#isMissed = true;
  }

  hasPairsOf(map: object): boolean {
    return this.#taken.has(map);
  }

  /** Everything was proved, and read by somebody; nothing is in doubt. @param before the doubts that it was made with. */
  isSettled(before: number): boolean {
    return this.canStay && this.#unread.size === 0 && this.doubts.size === before;
  }

  /** Taking out all but the doubts is worth another try. */
  get canStay(): boolean {
    return !this.#isMissed && this.#unproved.size === 0;
  }

  /** Lines taken out before `offset` of `rest`. */
  takenBefore(offset: number): number {
    let lines = 0;
    for (const { gap, count } of this.#runs) if (gap <= offset) lines += count;
    return lines;
  }

  *pairsOf(map: object): Generator<WrittenPair> {
    const scanner = new LineScanner(this.#text);
    for (const run of this.#taken.get(map) ?? []) {
      this.#unread.delete(run);
      let { start, line } = run;
      for (; start < run.end; start = scanner.next, line++) {
        scanner.scan(start);
        yield { key: scanner.key, value: scanner.value, line };
      }
    }
  }
}

/** A run that is being looked at. */
interface Open {
  readonly indent: number;
  readonly key: number;
  /** Where its lines begin: the second one, and the last one so far. */
  second: number;
  last: number;
  readonly line: number;
  count: number;
}

function findRuns(text: string, doubts: ReadonlySet<number>, shortest: number): Run[] {
  const scanner = new LineScanner(text);
  const runs: Run[] = [];
  let removed = 0;
  let open: Open | undefined;
  const close = (): void => {
    // The first line and the last one stay.
    if (open === undefined || open.count - 2 < shortest) return;
    const { key, second, last, line, count } = open;
    runs.push({ at: key - removed, start: second, end: last, gap: second - removed, line: line + 1, count: count - 2 });
    removed += last - second;
  };
  for (let [start, line] = [0, 1]; start < text.length; start = scanner.next, line++) {
    const isSimple = scanner.scan(start) && !doubts.has(line);
    if (isSimple && open?.indent === scanner.indent) {
      if (open.count === 1) open.second = start;
      open.last = start;
      open.count++;
      continue;
    }
    close();
    const { indent, keyAt: key } = scanner;
    open = isSimple ? { indent, key, second: start, last: start, line, count: 1 } : undefined;
  }
  close();
  return runs;
}
