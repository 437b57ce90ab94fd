/**
 * Host names: one normaliser for configuration and wire, and the patterns that routes are written in.
 *
 * Owns: what a host name is (RFC 1034 §3.5 lengths; letters, digits, hyphen and underscore in any place, as real
 * clients send them), its one canonical form (lower case, no trailing dot, A-labels), and the pattern grammar.
 * It must not match patterns (the router does) nor know IDNA: that comes in as `ToAscii`.
 * RFC 6066 §3 (HostName, no address literals), RFC 5890 (A-labels).
 */

/** IDNA: a Unicode name as A-labels; the empty string where it is none. */
export type ToAscii = (name: string) => string;

const MAX_NAME = 253;
const MAX_LABEL = 63;
const DOT = 0x2e;
const HYPHEN = 0x2d;

/** By byte: the lower-case code of what a label may hold, else 0. The dot is in it as well. */
const CODES = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyz0123456789-_.") CODES[char.charCodeAt(0)] = char.charCodeAt(0);
for (let code = 0x41; code <= 0x5a; code++) CODES[code] = code + 0x20;

/** Whether `codes`, digits and three dots, is a dotted quad: RFC 6066 §3 forbids address literals. */
function isDottedQuad(codes: readonly number[]): boolean {
  let value = -1;
  for (const code of codes) {
    if (code === DOT) value = -1;
    else if (value === 0) return false;
    else value = (value < 0 ? 0 : value * 10) + code - 0x30;
    if (value > 255) return false;
  }
  return true;
}

/** The name that canonical codes spell, if they are one; they come without the trailing dot, and none is 0. */
function nameOf(codes: readonly number[]): string | undefined {
  const length = codes.length;
  let labelStart = 0;
  let dots = 0;
  let letters = 0;
  for (let i = 0; i < length; i++) {
    const code = codes[i] as number;
    if (code === DOT) {
      if (i === labelStart || i - labelStart > MAX_LABEL) return undefined;
      labelStart = i + 1;
      dots++;
    } else if (code > 0x39 || code === HYPHEN) letters++;
  }
  if (length === labelStart || length - labelStart > MAX_LABEL) return undefined;
  if (letters === 0 && dots === 3 && isDottedQuad(codes)) return undefined;
  // Applied to a plain array: in all three engines the fastest way from 20 codes to a flat string.
  return String.fromCharCode.apply(null, codes as number[]);
}

/** Length without one trailing dot, or 0 where no name is that short or long. */
function nameLength(length: number, last: number | undefined): number {
  const end = last === DOT ? length - 1 : length;
  return end > MAX_NAME ? 0 : end;
}

/**
 * The canonical name that `bytes` spell: ASCII letters (lower-cased), digits, `-` and `_` in labels of 1 to 63
 * bytes, 253 at most, one trailing dot dropped. `undefined` for everything else, address literals included.
 */
export function normalizeWireName(bytes: Uint8Array): string | undefined {
  const length = nameLength(bytes.length, bytes[bytes.length - 1]);
  if (length === 0) return undefined;
  const codes: number[] = new Array(length);
  for (let i = 0; i < length; i++) {
    const code = CODES[bytes[i] as number] as number;
    if (code === 0) return undefined;
    codes[i] = code;
  }
  return nameOf(codes);
}

/** The same for text that is already ASCII: a Host header, a name in A-labels. */
export function normalizeHostname(text: string): string | undefined {
  const length = nameLength(text.length, text.charCodeAt(text.length - 1));
  if (length === 0) return undefined;
  const codes: number[] = new Array(length);
  for (let i = 0; i < length; i++) {
    const code = CODES[text.charCodeAt(i)] ?? 0;
    if (code === 0) return undefined;
    codes[i] = code;
  }
  return nameOf(codes);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/**
 * The same for a name that a person wrote: one that is not ASCII goes through IDNA first. ASCII names, `xn--`
 * labels included, are taken as they are, since the wire's are too.
 */
export function normalizeConfigName(text: string, toAscii: ToAscii): string | undefined {
  return normalizeHostname(isAscii(text) ? text : toAscii(text));
}

/**
 * What a route is for. Names are canonical.
 * - `exact`: `name` itself.
 * - `suffix`: names below `name` at any depth (`*.a.com`); with `apex` also `name` itself (`.a.com`).
 * - `prefix`: names that begin with `name` and a dot (`mail.*`).
 * - `regex`: names that the regular expression finds something in: see `patternRegex`.
 * - `default`: everything else, a missing name included.
 */
export type RoutePattern =
  | { readonly kind: "exact"; readonly name: string }
  | { readonly kind: "suffix"; readonly name: string; readonly apex: boolean }
  | { readonly kind: "prefix"; readonly name: string }
  | { readonly kind: "regex"; readonly source: string }
  | { readonly kind: "default" };

/** Why a text is no pattern: one line to stand behind a colon; a regular expression's may quote the text, unescaped. */
export interface PatternError {
  readonly error: string;
}

const NOT_A_NAME = "it is not a host name (letters, digits, '-' and '_' in labels of 1 to 63, 253 in all)";
const WILDCARDS =
  "'*' stands for whole labels at one end only: '*.example.com' or 'mail.*'; for more use a regular expression, '~…'";

/**
 * With `u`: an unknown escape is an error rather than a letter, which finds typing errors, while `v` would
 * also refuse classes such as `[(|]`, which PCRE takes. And with `i`, since names come in lower case; nginx's
 * `~*` says just that, and no expression can begin with a star.
 * @throws {SyntaxError}
 */
export function patternRegex(source: string): RegExp {
  return new RegExp(source, "iu");
}

function parseRegex(text: string): RoutePattern | PatternError {
  const source = text.startsWith("*") ? text.slice(1) : text;
  if (source === "") return { error: "'~' must be followed by a regular expression" };
  try {
    patternRegex(source);
    return { kind: "regex", source };
  } catch (error) {
    // V8 repeats the expression, which the reader of the message has already.
    const reason = error instanceof Error ? error.message.replace("Invalid regular expression: ", "") : String(error);
    const repeated = `/${source}/iu: `;
    const short = reason.startsWith(repeated) ? reason.slice(repeated.length) : reason;
    return { error: `it is not a JavaScript regular expression: ${short}` };
  }
}

/** Reads one key of `routes`: `a.com`, `*.a.com`, `.a.com`, `mail.*`, `~regex` or `default`. */
export function parsePattern(text: string, toAscii: ToAscii): RoutePattern | PatternError {
  if (text === "default") return { kind: "default" };
  if (text.startsWith("~")) return parseRegex(text.slice(1));
  const leading = text.startsWith("*.");
  const apex = text.startsWith(".");
  const trailing = !leading && !apex && text.endsWith(".*");
  const rest = text.slice(leading ? 2 : apex ? 1 : 0, trailing ? -2 : undefined);
  if (rest.includes("*")) return { error: WILDCARDS };
  const name = normalizeConfigName(rest, toAscii);
  if (name === undefined) return { error: NOT_A_NAME };
  if (leading || apex) return { kind: "suffix", name, apex };
  return { kind: trailing ? "prefix" : "exact", name };
}

/**
 * One text per meaning, to find duplicates by: `*.A.com.` has the key of `*.a.com`, and so has `.a.com`, since the
 * two disagree about nothing but the apex. The default's is empty: a host may well be called `default`.
 */
export function patternKey(pattern: RoutePattern): string {
  switch (pattern.kind) {
    case "exact":
      return pattern.name;
    case "suffix":
      return `*.${pattern.name}`;
    case "prefix":
      return `${pattern.name}.*`;
    case "regex":
      return `~${pattern.source}`;
    case "default":
      return "";
  }
}
