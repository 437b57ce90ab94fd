/** Reports as the three runners really write them, cut down: what counts as a test, and how it ended. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { filesIn, readJunit } from "./junit.ts";

const summary = (xml: string): string[] =>
  readJunit(xml).map(({ name, outcome, detail }) => `${outcome}: ${name}${detail === "" ? "" : `: ${detail}`}`);

test("node: groups are suites, a reason is a message, a file is an attribute", () => {
  const xml = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="outer" time="0.006" disabled="0" errors="0" tests="2" failures="0" skipped="1" hostname="vm">
		<testcase name="one &lt;&amp;&quot;&#10;" time="0.001" classname="outer" file="/x/test/unit/a.test.ts"/>
		<testcase name="two" time="0.0002" classname="outer" file="/x/test/unit/a.test.ts">
			<skipped type="skipped" message="no IPv6 here"/>
		</testcase>
	</testsuite>
	<testcase name="three" time="0.001" classname="test" file="/x/test/unit/b.test.ts" failure="1 !== 2">
		<failure type="testCodeFailure" message="1 !== 2">
[Error: 1 !== 2] at &lt;anonymous> (file:///x/test/unit/b.test.ts:24:52)
		</failure>
	</testcase>
	<testcase name="four" time="0.001" classname="test" file="/x/test/unit/b.test.ts">
		<skipped type="skipped" message="true"/>
	</testcase>
	<!-- tests 4 -->
</testsuites>`;
  assert.deepEqual(summary(xml), [
    'passed: outer > one <&"\n',
    "skipped: outer > two: no IPv6 here",
    "failed: three: 1 !== 2",
    "skipped: four",
  ]);
  assert.deepEqual(filesIn(xml), new Set(["/x/test/unit/a.test.ts", "/x/test/unit/b.test.ts"]));
});

test("deno: a group is a test case of its own and does not count, unless its own hook failed", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="3" errors="0" time="0.018">
    <testsuite name="./test/unit/a.test.ts" tests="4" disabled="1" errors="0" failures="2">
        <testcase name="outer" classname="./test/unit/a.test.ts" time="0.008" line="5" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="hooked" classname="./test/unit/a.test.ts" time="0.008" line="9" col="1">
            <failure message="Uncaught Error: in before">Error: in before</failure>
        </testcase>
        <testcase name="alone" classname="./test/unit/a.test.ts" time="0.000" line="22" col="6">
            <skipped/>
        </testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="2" disabled="0" errors="0" failures="1">
        <testcase name="outer &gt; inner" classname="ext:deno_node/testing.ts" time="0.001" line="1" col="23191">
            <failure message="Uncaught AssertionError: two

lines">AssertionError: &quot;x&quot;</failure>
        </testcase>
        <testcase name="hooked &gt; inner" classname="ext:deno_node/testing.ts" time="0.001" line="1" col="1">
        </testcase>
    </testsuite>
</testsuites>`;
  assert.deepEqual(summary(xml), [
    "failed: hooked: Uncaught Error: in before",
    "skipped: alone",
    "failed: outer > inner: Uncaught AssertionError: two\n\nlines",
    "passed: hooked > inner",
  ]);
  assert.ok(filesIn(xml).has("./test/unit/a.test.ts"));
});

test("bun: the file's own suite is no part of a name", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="3" assertions="0" failures="1" skipped="1" time="0.12">
  <testsuite name="test/unit/a.test.ts" file="test/unit/a.test.ts" tests="3" failures="1" skipped="1" hostname="vm">
    <testsuite name="outer" file="test/unit/a.test.ts" line="5" tests="2" failures="0" skipped="1" hostname="vm">
      <testcase name="one" classname="outer" time="0.001" file="test/unit/a.test.ts" line="10" assertions="0" />
      <testcase name="two" classname="outer" time="0" file="test/unit/a.test.ts" line="12" assertions="0">
        <skipped />
      </testcase>
    </testsuite>
    <testcase name="three" classname="" time="0.001" file="test/unit/a.test.ts" line="24" assertions="0">
      <failure type="Error" message="1 subtest failed">Error: 1 subtest failed</failure>
    </testcase>
  </testsuite>
</testsuites>`;
  assert.deepEqual(summary(xml), ["passed: outer > one", "skipped: outer > two", "failed: three: 1 subtest failed"]);
  assert.deepEqual(filesIn(xml), new Set(["test/unit/a.test.ts"]));
});

test("an empty or broken report holds no test", () => {
  assert.deepEqual(readJunit(""), []);
  assert.deepEqual(readJunit("<testsuites><testsuite name="), []);
});
