/**
 * Reads the JUnit XML of the three test runners, which agree on little more than the tags' names.
 *
 * Owns: what counts as one test. Pure: text in, outcomes out.
 */

export type Outcome = "passed" | "failed" | "skipped";

/** One test that has no tests inside it. */
export interface TestResult {
  /** Groups and title, joined with ` > `. */
  readonly name: string;
  /** As the runner wrote it; empty where it does not say. */
  readonly file: string;
  readonly outcome: Outcome;
  /** Why it was skipped or what failed, where the runner says. */
  readonly detail: string;
}

interface OpenTest {
  readonly name: string;
  readonly file: string;
  outcome: Outcome;
  detail: string;
}

const TAG = /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g;
const ATTRIBUTE = /([\w:-]+)="([^"]*)"/g;

/**
 * The tests of a report, groups left out. Node nests groups as `testsuite`; Bun too; Deno lists a group as a
 * test case of its own and gives its children the name `group > child`.
 */
export function readJunit(xml: string): TestResult[] {
  const results: OpenTest[] = [];
  const groups: string[] = [];
  let open: OpenTest | undefined;
  for (const [, closing, tag, attributes = "", selfClosing] of xml.matchAll(TAG)) {
    const values = readAttributes(attributes);
    if (tag === "testsuite") {
      if (closing === "/") groups.pop();
      else if (selfClosing !== "/") groups.push(groupName(values));
    } else if (tag === "testcase" && closing !== "/") {
      open = { name: testName(groups, values), file: testFile(values), outcome: "passed", detail: "" };
      results.push(open);
    } else if (open !== undefined && closing !== "/" && (tag === "failure" || tag === "error")) {
      open.outcome = "failed";
      open.detail = values.get("message") ?? "";
    } else if (open !== undefined && closing !== "/" && tag === "skipped") {
      open.outcome = "skipped";
      open.detail = reasonGiven(values.get("message"));
    }
  }
  return withoutGroups(results);
}

/** Every file the report has a test or a group from: Deno files a group's children under its own name. */
export function filesIn(xml: string): Set<string> {
  const files = [...xml.matchAll(TAG)].map(([, , , attributes = ""]) => testFile(readAttributes(attributes)));
  return new Set(files.filter((file) => file !== ""));
}

/** Bun and Deno give a file a suite of its own, which is no part of a test's name. */
function groupName(values: ReadonlyMap<string, string>): string {
  const name = values.get("name") ?? "";
  return name === values.get("file") || isFile(name) ? "" : name;
}

function testName(groups: readonly string[], values: ReadonlyMap<string, string>): string {
  return [...groups, values.get("name") ?? ""].filter((part) => part !== "").join(" > ");
}

function testFile(values: ReadonlyMap<string, string>): string {
  const { file, classname, name } = Object.fromEntries(values);
  return [file, classname, name].find((value) => value !== undefined && isFile(value)) ?? "";
}

function isFile(name: string): boolean {
  return /^\S+\.ts$/.test(name);
}

/** Node writes `true` where a test gave no reason. */
function reasonGiven(message: string | undefined): string {
  return message === undefined || message === "true" ? "" : message;
}

/** A failed group stays unless all it says is that a child failed: its own hook may have. */
function withoutGroups(results: readonly TestResult[]): TestResult[] {
  const parents = new Set(results.flatMap(({ name }) => prefixes(name)));
  return results.filter(
    ({ name, outcome, detail }) =>
      !parents.has(name) || (outcome === "failed" && !/test steps? failed|subtests? failed/.test(detail)),
  );
}

function prefixes(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "));
}

function readAttributes(text: string): Map<string, string> {
  return new Map([...text.matchAll(ATTRIBUTE)].map(([, key = "", value = ""]) => [key, decodeEntities(value)]));
}

function decodeEntities(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return named[name] ?? whole;
  });
}
