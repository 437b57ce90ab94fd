import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parsePattern, type RoutePattern } from "../../src/hostname.ts";
import { Router } from "../../src/router.ts";

type TestRoute = RoutePattern & { readonly text: string };

function route(text: string): TestRoute {
  const pattern = parsePattern(text, (name) => name);
  assert.ok(!("error" in pattern), text);
  return { ...pattern, text };
}

function router(...patterns: string[]): (name: string | undefined) => string {
  const table = new Router(patterns.map(route), route("default"));
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
});
