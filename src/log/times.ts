/**
 * Times as log lines have them.
 *
 * Owns: two ways of writing numbers that a busy log needs for every line, and which the language's own make dear.
 */

let second = Number.NaN;
let secondText = "";

/** ISO 8601 in UTC, of milliseconds since the epoch. */
export function isoTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const rest = ((whole % 1000) + 1000) % 1000;
  if (whole - rest !== second) {
    second = whole - rest;
    secondText = new Date(second).toISOString().slice(0, -4);
  }
  return `${secondText}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}Z`;
}

/** Milliseconds to a tenth, as JSON writes a number. */
export function tenths(milliseconds: number): string {
  const count = Math.round(milliseconds * 10);
  const rest = count % 10;
  return rest === 0 ? `${count / 10}` : `${(count - rest) / 10}.${rest}`;
}
