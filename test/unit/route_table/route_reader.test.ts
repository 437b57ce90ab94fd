import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { RouteTable } from "../../../src/config/config.ts";
import type { RouteContent } from "../../../src/route_table/route_content.ts";
import { notedRoutes, RouteReader, routesOf } from "../../../src/route_table/route_reader.ts";
import { NOTED_NAMES, RouteTableBuilder } from "../../../src/route_table/route_table_builder.ts";
import { contentTo, patternOf, tableOf } from "./table_fixture.ts";

const to = (name: string): RouteContent => ({ ...contentTo("192.0.2.1"), to: { kind: "upstream", name } });

describe("a route table", () => {
  test("gives its routes as they were, in their order", () => {
    const texts = ["A.com.", "*.a.com", ".B.com", "mail.*", "~*^x字$", `~${"y".repeat(10_000)}`, "~é", "0"];
    const builder = new RouteTableBuilder();
    const expected = texts.map((text, index) => {
      const content = contentTo(`192.0.2.${index}`);
      builder.add(patternOf(text), content, text, index + 5);
      return { ...patternOf(text), ...content, text, line: index + 5 };
    });
    const table = structuredClone(builder.finish({ kind: "reject" }));
    assert.deepEqual([...routesOf(table)], expected);
    assert.equal(table.size, texts.length);
  });

  test("of any routes", () => {
    const name = fc.stringMatching(/^[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){0,3}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 50 }), (names) => {
        assert.deepEqual(
          [...routesOf(tableOf(names))].map(({ text }) => text),
          names,
        );
      }),
    );
  });

  test("is nothing where there are no routes", () => {
    const table = new RouteTableBuilder().finish({ kind: "reject" });
    assert.deepEqual([[...routesOf(table)], [...notedRoutes(table)], table.size], [[], [], 0]);
  });

  test("is shared: a message carries no copy of it", () => {
    const { port1, port2 } = new MessageChannel();
    const table = tableOf(["a.com"]);
    return new Promise<void>((resolve) => {
      port2.onmessage = ({ data }: { readonly data: RouteTable }) => {
        const bytes = new Uint8Array(table.memory);
        bytes[bytes.length - 1]! ^= 1;
        assert.deepEqual(new Uint8Array(data.memory), bytes);
        port1.close();
        port2.close();
        resolve();
      };
      port1.postMessage(table);
    });
  });

  test("notes its upstreams, and some exact names of each", () => {
    const builder = new RouteTableBuilder();
    for (let index = 0; index < 20; index++) builder.add(patternOf(`a${index}.com`), to("one"), `a${index}.com`, 0);
    builder.add(patternOf("*.b.com"), to("two"), "*.b.com", 0);
    const { upstreams } = builder.finish({ kind: "upstream", name: "three" });
    const first = Array.from({ length: NOTED_NAMES }, (_, index) => `a${index}.com`);
    assert.deepEqual(
      [...upstreams],
      [
        ["one", first],
        ["two", []],
      ],
    );
  });

  test("notes hosts, proxies and addresses of this machine, each once", () => {
    const host: RouteContent = { ...contentTo(""), to: { kind: "host", name: "x.test", port: 1 } };
    const builder = new RouteTableBuilder();
    const bound: RouteContent = { ...contentTo("192.0.2.1"), bind: ["192.0.2.2"] };
    const contents = [
      contentTo("192.0.2.1"),
      host,
      to("pool"),
      { ...host },
      bound,
      { ...bound, to: { kind: "reject" } as const },
    ];
    for (const [index, content] of contents.entries())
      builder.add(patternOf(`n${index}.com`), content, `n${index}.com`, 0);
    const noted = [...notedRoutes(builder.finish({ kind: "reject" }))];
    assert.deepEqual(
      noted.map(({ text }) => text),
      ["n1.com", "n4.com", "n5.com"],
    );
  });

  test("contents are stored once", () => {
    const one = new RouteTableBuilder();
    const two = new RouteTableBuilder();
    for (let index = 0; index < 1000; index++) {
      one.add(patternOf(`n${index}.com`), contentTo("192.0.2.1"), `n${index}.com`, 0);
      two.add(patternOf(`n${index}.com`), contentTo(`192.0.2.${index}`), `n${index}.com`, 0);
    }
    const sizes = [one, two].map((builder) => builder.finish({ kind: "reject" }).memory.byteLength);
    assert.ok(sizes[1]! - sizes[0]! > 999 * 16, String(sizes));
  });

  test("a place gives the same route while it is in use", () => {
    const reader = new RouteReader(tableOf(["a.com"]));
    assert.equal(reader.routeAt(17), reader.routeAt(17));
    assert.notEqual(reader.routeAt(17), reader.readRoute(17));
    assert.deepEqual(reader.routeAt(17), reader.readRoute(17));
  });
});
