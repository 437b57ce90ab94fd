import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Router } from "../../src/router.ts";
import { namelessRoute } from "../../src/session/kind_routes.ts";
import { ReferenceRouter } from "./route_table/reference_router.ts";
import { tableOf } from "./route_table/table_fixture.ts";

const DEFAULT = namelessRoute("default", { kind: "reject" });

function router(...patterns: string[]): (name: string | undefined) => string {
  const table = new Router(tableOf(patterns), DEFAULT);
  return (name) => table.match(name).text;
}

describe("router", () => {
  test("exact before wildcards before regular expressions before default", () => {
    const match = router("~shop", "shop.*", "*.example.com", ".shop.example.com", "shop.example.com");
    assert.equal(match("shop.example.com"), "shop.example.com");
    assert.equal(match("a.shop.example.com"), ".shop.example.com");
    assert.equal(match("a.example.com"), "*.example.com");
    assert.equal(match("shop.org"), "shop.*");
    assert.equal(match("my.shop.org"), "~shop");
    assert.equal(match("other.org"), "default");
    assert.equal(match(undefined), "default");
  });

  test("the longest leading wildcard wins, at any depth", () => {
    const match = router("*.com", "*.a.com", "*.b.a.com");
    assert.equal(match("x.b.a.com"), "*.b.a.com");
    assert.equal(match("y.x.b.a.com"), "*.b.a.com");
    assert.equal(match("b.a.com"), "*.a.com");
    assert.equal(match("a.com"), "*.com");
    assert.equal(match("com"), "default");
  });

  test("the longest trailing wildcard wins", () => {
    const match = router("mail.*", "mail.corp.*");
    assert.equal(match("mail.corp.example"), "mail.corp.*");
    assert.equal(match("mail.other.example"), "mail.*");
    assert.equal(match("mail"), "default");
    assert.equal(match("mailx.corp"), "default");
  });

  test("a leading wildcard goes before a trailing one", () => {
    const match = router("www.*", "*.example.com");
    assert.equal(match("www.example.com"), "*.example.com");
    assert.equal(match("www.example.org"), "www.*");
  });

  test("a dot form holds its own name, a star form does not", () => {
    const match = router(".a.com", "*.b.com");
    assert.equal(match("a.com"), ".a.com");
    assert.equal(match("x.a.com"), ".a.com");
    assert.equal(match("b.com"), "default");
    assert.equal(match("xa.com"), "default");
  });

  test("star and dot form of one name live side by side in either order", () => {
    for (const patterns of [
      [".a.com", "*.a.com"],
      ["*.a.com", ".a.com"],
    ]) {
      const match = router(...patterns);
      assert.equal(match("a.com"), ".a.com");
      assert.equal(match("x.a.com"), "*.a.com");
    }
  });

  test("regular expressions in file order", () => {
    const match = router("~^db[0-9]+\\.corp$", "~^db", "~corp$");
    assert.equal(match("db7.corp"), "~^db[0-9]+\\.corp$");
    assert.equal(match("dbx.corp"), "~^db");
    assert.equal(match("x.corp"), "~corp$");
  });

  test("names of JavaScript's own objects are just names", () => {
    const match = router("*.example.test", "shop.*");
    for (const name of ["__proto__", "constructor", "tostring", "hasownproperty.x"])
      assert.equal(match(name), "default");
    assert.equal(match("__proto__.example.test"), "*.example.test");
  });

  test("the same name gives the same object", () => {
    const table = new Router(tableOf(["a.com", "*.b.com", "~x"]), DEFAULT);
    for (const name of ["a.com", "c.b.com", "x.y"]) assert.equal(table.match(name), table.match(name));
  });

  test("of many routes, more than are remembered, each is found", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `host-${index}.example.test`);
    const table = new Router(tableOf(names), DEFAULT);
    for (const name of [...names, ...names]) assert.equal(table.match(name).text, name);
    for (const name of names) assert.equal(table.match(`${name}s`), DEFAULT);
  });

  test("finds what a plain search through maps finds", () => {
    const label = fc.constantFrom("a", "b", "c", "ab", "mail", "-", "x1");
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
    const pattern = fc.oneof(
      name,
      name.map((text) => `*.${text}`),
      name.map((text) => `.${text}`),
      name.map((text) => `${text}.*`),
      name.map((text) => `~^${text}$`),
      label.map((text) => `~*${text}`),
    );
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 40 }), fc.array(name, { minLength: 1 }), (patterns, names) => {
        const table = new Router(tableOf(patterns), DEFAULT);
        const reference = new ReferenceRouter(patterns);
        for (const one of names) assert.equal(table.match(one).text, reference.match(one), one);
      }),
    );
  });

  test("any text is a name that ends, and is found as it is", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (name) => {
        const table = new Router(tableOf(["a.com", ".b.com", "mail.*"]), DEFAULT);
        assert.equal(table.match(name).text, new ReferenceRouter(["a.com", ".b.com", "mail.*"]).match(name));
      }),
    );
    const table = new Router(tableOf(["*.a", "a.*"]), DEFAULT);
    assert.equal(table.match(".".repeat(253)), DEFAULT);
  });
});
