import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Exposition } from "../../../src/metrics/exposition.ts";
import { Histogram, SHORT_TIMES } from "../../../src/metrics/histogram.ts";
import { METRICS, metricTable } from "../../../src/metrics/metric_table.ts";
import { readExposition } from "./metrics_fixture.ts";

describe("exposition", () => {
  test("what is written can be read back, whatever the labels hold", () => {
    const rows = fc.uniqueArray(fc.tuple(fc.string({ unit: "binary" }), fc.string(), fc.nat()), {
      selector: ([a, b]) => JSON.stringify([a, b]),
    });
    fc.assert(
      fc.property(rows, (all) => {
        const out = new Exposition();
        for (const [listener, route, value] of all) {
          out.add("certless_route_connections_total", value, listener, route);
        }
        const samples = all.length === 0 ? [] : readExposition(out.toString());
        assert.deepEqual(
          samples.map(({ labels, value }) => [labels.listener, labels.route, value]),
          all,
        );
      }),
    );
  });

  test("a value cannot end its line, nor its label", () => {
    const out = new Exposition();
    out.add("certless_build_info", 1, 'a"} 1\ncertless_build_info{', "\\", "\\n");
    assert.equal(
      out.toString().split("\n")[2],
      'certless_build_info{version="a\\"} 1\\ncertless_build_info{",runtime="\\\\",adapter="\\\\n"} 1',
    );
  });

  test("a histogram adds up, in seconds", () => {
    const histogram = new Histogram(SHORT_TIMES);
    for (const time of [0.25, 31.25, 40_000]) histogram.observe(time);
    const out = new Exposition();
    out.histogram("certless_connect_seconds", histogram);
    const samples = readExposition(out.toString());
    const buckets = samples.filter(({ name }) => name.endsWith("_bucket"));
    assert.deepEqual(buckets.at(0), { name: "certless_connect_seconds_bucket", labels: { le: "0.0005" }, value: 1 });
    assert.deepEqual(buckets.at(-1), { name: "certless_connect_seconds_bucket", labels: { le: "+Inf" }, value: 3 });
    assert.ok(buckets.every(({ value }, index) => value >= (buckets[index - 1]?.value ?? 0)));
    assert.deepEqual(
      samples.slice(-2).map(({ name, value }) => [name, value]),
      [
        ["certless_connect_seconds_sum", 40.0315],
        ["certless_connect_seconds_count", 3],
      ],
    );
  });
});

describe("table of metrics", () => {
  test("names tell what they are", () => {
    for (const [name, { type, unit }] of Object.entries(METRICS)) {
      assert.match(name, /^certless_[a-z_]+$/);
      assert.equal(name.endsWith("_total"), type === "counter", name);
      if (unit !== "") assert.match(name, new RegExp(`_${unit}(_total)?$`));
    }
  });

  test("as Markdown it has a row for each", () => {
    assert.equal(metricTable().split("\n").length, Object.keys(METRICS).length + 2);
  });
});
