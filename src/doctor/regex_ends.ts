/**
 * What every name that a regular expression matches begins and ends with.
 *
 * Owns: reading that off its syntax. What it does not see it leaves out: an end that is too short harms nobody.
 */

import { ALPHABET, parseRegexSyntax, type RegexNode } from "./regex_syntax.ts";

export interface RegexEnds {
  /** Empty where names may begin, or end, with anything. */
  readonly head: string;
  readonly tail: string;
}

export function regexEnds(source: string): RegexEnds {
  const tree = parseRegexSyntax(source);
  // Each way of a choice has ends of its own.
  if (tree === undefined || tree.kind !== "sequence") return { head: "", tail: "" };
  const characters = flatten(tree).map(onlyCharacter);
  const head = source.startsWith("^") ? until(characters) : "";
  const tail = isAnchoredAtEnd(source) ? reverse(until(characters.toReversed())) : "";
  return { head, tail };
}

/** An escaped `$` is a character. */
function isAnchoredAtEnd(source: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*\$$/.test(source);
}

function flatten(node: RegexNode): RegexNode[] {
  return node.kind === "sequence" ? node.parts.flatMap(flatten) : [node];
}

function onlyCharacter(node: RegexNode): string | undefined {
  if (node.kind !== "set" || node.members.size !== 1) return undefined;
  return [...node.members].map((index) => ALPHABET[index])[0];
}

function until(characters: readonly (string | undefined)[]): string {
  const end = characters.indexOf(undefined);
  return characters.slice(0, end < 0 ? undefined : end).join("");
}

function reverse(text: string): string {
  return [...text].toReversed().join("");
}
