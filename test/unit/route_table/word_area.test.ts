import assert from "node:assert/strict";
import { test } from "node:test";
import { isWide, WordArea } from "../../../src/route_table/word_area.ts";

test("grows, and keeps what it has", () => {
  const area = new WordArea();
  for (let word = 0; word < 5_000; word++) area.push(word * 7);
  area.pushText("x".repeat(100_000));
  area.push(-1);
  assert.equal(area.length, 5_000 + 1 + 25_000 + 1);
  for (let word = 0; word < 5_000; word++) assert.equal(area.words[word], word * 7);
  assert.equal(area.words[5_000], 200_000);
  assert.equal(area.words[area.length - 1], -1);
});

test("a character takes one byte, or all of a text two", () => {
  assert.deepEqual(["", "aÿ", "aĀ", "字"].map(isWide), [false, false, true, true]);
  const area = new WordArea();
  area.pushText("abcde");
  assert.equal(area.length, 3);
  area.pushText("abcd字");
  assert.equal(area.length, 3 + 4);
});
