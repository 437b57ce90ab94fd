/** Route tables of patterns written in one line each. */

import assert from "node:assert/strict";
import type { RouteTable } from "../../../src/config/config.ts";
import { parsePattern } from "../../../src/hostname.ts";
import type { RouteContent } from "../../../src/route_table/route_content.ts";
import { RouteTableBuilder, type TablePattern } from "../../../src/route_table/route_table_builder.ts";

export function patternOf(text: string): TablePattern {
  const pattern = parsePattern(text, (name) => name);
  assert.ok(!("error" in pattern) && pattern.kind !== "default", text);
  return pattern;
}

/** What a route says that leads to one address. */
export function contentTo(ip: string): RouteContent {
  return { to: { kind: "ip", ip, port: 443 }, allowPrivate: false, via: undefined, bind: undefined };
}

const CONTENT = contentTo("192.0.2.1");

/** All of them lead to one place. Lines count from 1. */
export function tableOf(patterns: readonly string[]): RouteTable {
  const builder = new RouteTableBuilder();
  for (const [index, text] of patterns.entries()) builder.add(patternOf(text), CONTENT, text, index + 1);
  return builder.finish({ kind: "reject" });
}
