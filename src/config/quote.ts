/**
 * A person's text inside our messages: escaped, cut short, and compared with what they may have meant.
 *
 * Owns: `quote`, `escapeInvisible` and `nearest`. It must not know what the texts are for.
 */

const MAX_SHOWN = 80;

/** Control and format characters, which could rewrite a terminal's line or hide in it. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

function escapeChar(char: string): string {
  const code = char.codePointAt(0) as number;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** `text` with every control or invisible character as `\xNN` or `\u{N}`. */
export function escapeInvisible(text: string): string {
  return text.replace(UNSAFE, escapeChar);
}

/** `text` escaped, in single quotes, at most 80 characters of it. */
export function quote(text: string): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return `'${escapeInvisible(shown)}'`;
}

/** `a, b and c`. */
export function enumerate(words: readonly string[], conjunction = "and"): string {
  const last = words[words.length - 1] ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} ${conjunction} ${last}`;
}

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`, by rows. */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, (previous[j - 2] as number) + 1);
      next.push(best);
    }
    previous = row;
    row = next;
  }
  return row[b.length] as number;
}

const MAX_COMPARED = 64;
const MAX_CANDIDATES = 1000;

/** The candidate that `word` is most likely a misspelling of, if one is near: a third of its letters at most. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_COMPARED) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked > MAX_CANDIDATES) break;
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean 'tls'?`, or nothing. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `; did you mean ${quote(near)}?`;
}
