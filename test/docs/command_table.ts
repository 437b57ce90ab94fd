/**
 * How each documented command line is tried, or why it is not; and what stands for the examples' addresses.
 *
 * Owns: the tables. A line that no row holds is a failure, and so is a row that no line needs.
 */

/**
 * - `alone`: it ends by itself.
 * - `asks`: it does so beside a certless that runs, with an admin interface.
 * - `serves`: it runs until it is ended.
 * - `replaces`: it does so in place of a certless that runs.
 */
export type How = "alone" | "asks" | "serves" | "replaces";

export interface Tried {
  /** Of the line as it stands in the documentation; the first row that holds it counts. */
  readonly line: RegExp;
  readonly how: How;
  /** What it says then. */
  readonly says: RegExp;
  /** 0 if absent. */
  readonly exits?: readonly number[];
  /** Without a configuration, as on a client's machine. */
  readonly bare?: true;
  /** A program that a machine may not have. */
  readonly needs?: string;
  /** The certless that runs ends by it. */
  readonly ends?: true;
}

export interface NotTried {
  readonly line: RegExp;
  readonly because: string;
}

export type Row = Tried | NotTried;

/** It answers: a finding is an answer. */
const ANSWERS = [0, 1];

export const ROWS: readonly Row[] = [
  { line: /^certless check\b/, how: "alone", says: /^certless\.yaml is valid: 2 listeners/ },
  { line: /^certless route .*--live\b/, how: "asks", says: /^ {2}route: \S+ \(exact name, .*certless\.yaml:\d+\)$/m },
  { line: /^certless route\b/, how: "alone", says: /^ {2}route: \S+ \(exact name, certless\.yaml:\d+\)$/m },
  { line: /^certless hosts .*>>/, how: "alone", says: /^$/ },
  { line: /^certless hosts\b/, how: "alone", says: /^127\.0\.0\.1 pay\.example\.com$/m },
  { line: /^certless permissions\b/, how: "alone", says: /^deno run .*--allow-net/ },
  { line: /^certless schema >/, how: "alone", says: /^$/ },
  { line: /^certless doctor .*--ip\b/, how: "alone", says: /^\d+ findings?: /m, exits: ANSWERS, bare: true },
  { line: /^certless doctor\b/, how: "alone", says: /^\d+ findings?: /m, exits: ANSWERS },
  { line: /^certless status .*--json\b/, how: "asks", says: /"findings": \[/, exits: ANSWERS },
  { line: /^certless status\b/, how: "asks", says: /^connections +\d+ open of \d+/m, exits: ANSWERS },
  { line: /^certless top\b/, how: "asks", says: /^certless \d/ },
  { line: /^certless reload\b/, how: "asks", says: /./ },
  { line: /^certless drain\b/, how: "asks", says: /./, ends: true },
  { line: /^certless run .*--replace\b/, how: "replaces", says: /^certless: listening on 127\.0\.0\.1:\d+/m },
  { line: /^certless run\b/, how: "serves", says: /^certless: listening on 127\.0\.0\.1:\d+/m },
  { line: /^curl .*\/metrics$/, how: "asks", says: /^# TYPE certless_/m, needs: "curl" },
  { line: /^curl\b/, how: "asks", says: /^\{/, needs: "curl" },
  { line: /^install -m 644 examples\//, how: "alone", says: /^$/ },
  { line: /^npm ci\b/, because: "it would replace node_modules under the tests; the suites are what the rest runs" },
  { line: /^npm test$/, because: "this is it" },
  { line: /^sysctl\b/, because: "it changes the machine" },
  { line: /^systemctl\b/, because: "it changes the machine; test/clients/systemd.test.ts has systemd run certless" },
];

/** What stands for an address or a file of the examples while they are tried, on the loopback and in the test's directory. */
export function standIns(directory: string, admin: string | undefined): readonly (readonly [string, string])[] {
  return [
    ["http://127.0.0.1:9443", `http://${admin}`],
    ["http://proxy.example.net:9443", `http://${admin}`],
    ["/run/certless/admin.sock", `${directory}/admin.sock`],
    ["/run/secrets/certless-admin", `${directory}/token`],
    ["/etc/hosts", `${directory}/hosts`],
    ["/etc/systemd/system/", `${directory}/`],
    ["api.example.com", "localhost"],
    ["10.0.0.5", "127.0.0.1"],
    // Nobody listens on the port discard.
    ["203.0.113.7:443", "127.0.0.1:9"],
    ["203.0.113.8:443", "127.0.0.2:9"],
    ["api.weixin.qq.com: direct", "localhost: localhost:9"],
  ];
}
