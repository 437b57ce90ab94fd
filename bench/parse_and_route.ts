/**
 * What a ClientHello costs before anything is dialled: parse and route, and how look-up time grows with the table.
 *
 * `npm run bench:core` runs it under each runtime.
 */

import process from "node:process";
import { RouteTableBuilder } from "../src/route_table/route_table_builder.ts";
import { Router } from "../src/router.ts";
import { namelessRoute } from "../src/session/kind_routes.ts";
import { ClientHelloReader } from "../src/tls/client_hello.ts";
import corpus from "../test/fixtures/client_hellos.json" with { type: "json" };
import { measure, report, runtime } from "./measure.ts";

function hello(name: string): Uint8Array {
  const found = corpus.cases.find((entry) => entry.name === name)!;
  return Uint8Array.from(Buffer.from(found.chunks.join(""), "hex"));
}

function table(size: number): Router {
  const builder = new RouteTableBuilder();
  const names = Array.from({ length: size - 1 }, (_, index) => `host-${index}.example.test`);
  const content = {
    to: { kind: "upstream", name: "pool" },
    allowPrivate: false,
    via: undefined,
    bind: undefined,
  } as const;
  for (const name of [...names, "shop.example.test"]) builder.add({ kind: "exact", name }, content, name, 1);
  const reject = { kind: "reject" } as const;
  return new Router(builder.finish(reject), namelessRoute("default", reject));
}

function parse(bytes: Uint8Array): string | undefined {
  const read = new ClientHelloReader().read(bytes);
  return typeof read === "object" && "serverName" in read ? read.serverName : undefined;
}

process.stdout.write(`${runtime()}\n`);
const curl = hello("real-curl-default");
const postQuantum = hello("pq-key-share");
const small = table(1000);
report(
  `parse, ${curl.length}-byte hello`,
  measure(() => parse(curl)),
);
report(
  `parse, ${postQuantum.length}-byte post-quantum hello`,
  measure(() => parse(postQuantum)),
);
report(
  `parse and route, ${curl.length}-byte hello, 1000 routes`,
  measure(() => small.match(parse(curl))),
);

for (const size of [10, 1_000, 100_000, 1_000_000]) {
  const router = table(size);
  // Names that are not the table's own strings, as the parser makes them.
  const hit = Array.from(
    { length: 64 },
    (_, index) => `host-${Math.floor((index * (size - 1)) / 64)}.${["example", "test"].join(".")}`,
  );
  let turn = 0;
  report(
    `look-up among ${size} exact routes: hit`,
    measure(() => router.match(hit[turn++ & 63]!)),
  );
  // More of them than a router remembers.
  const others = Array.from({ length: 16_384 }, (_, index) => `host-${(index * 7919) % (size - 1)}.example.test`);
  report(
    `look-up among ${size} exact routes: hit, not lately`,
    measure(() => router.match(others[turn++ & 16_383]!)),
  );
  report(
    `look-up among ${size} exact routes: miss`,
    measure(() => router.match("nobody.example.test")),
  );
}
