import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Metric } from "../../../host/core/session/telemetry.ts";
import { METRICS } from "../../../host/telemetry/catalogue.ts";
import { createPrometheus } from "../../../host/telemetry/prometheus.ts";
import { readExposition } from "./exposition.ts";

const target = { "service.name": "dormouse-run", "service.instance.id": "lab/wrist-1" };
const gauge: Metric = { name: "a.gauge", kind: "gauge", unit: "1", description: "A gauge" };
const histogram: Metric = { name: "a.seconds", kind: "histogram", unit: "s", description: "Times", boundaries: [0.1, 1, 10] };

describe("Prometheus' text format", () => {
  it("every metric of the catalogue → a family by its Prometheus name, counters with _total", () => {
    const metrics = createPrometheus(target);
    for (const metric of Object.values(METRICS)) {
      if (metric.kind === "histogram") metrics.record(metric, 0.2, { state: "answered" });
      else metrics.observe(metric, () => [{ value: 3, attributes: { exit: 1 } }]);
    }
    const families = readExposition(metrics.text());
    expect(families.get("target_info")!.samples).toEqual([
      { name: "target_info", labels: { service_name: "dormouse-run", service_instance_id: "lab/wrist-1" }, value: 1 },
    ]);
    for (const metric of Object.values(METRICS)) {
      const name = metric.name.replaceAll(".", "_") + (metric.kind === "counter" ? "_total" : "");
      expect(families.get(name)).toMatchObject({ type: metric.kind, help: metric.description });
    }
    expect(families.size).toBe(Object.keys(METRICS).length + 1);
  });

  it("values on, between and beyond the bounds → cumulative buckets, sum and count per series", () => {
    const metrics = createPrometheus({});
    for (const value of [0.1, 0.11, 1, 10, 11]) metrics.record(histogram, value);
    metrics.record(histogram, 2, { state: "expired" });
    const { samples } = readExposition(metrics.text()).get("a_seconds")!;
    const of = (state: string | undefined) => samples.filter(({ labels }) => labels.state === state);
    expect(of(undefined).map(({ name, labels, value }) => [name, labels.le, value])).toEqual([
      ["a_seconds_bucket", "0.1", 1],
      ["a_seconds_bucket", "1", 3],
      ["a_seconds_bucket", "10", 4],
      ["a_seconds_bucket", "+Inf", 5],
      ["a_seconds_sum", undefined, expect.closeTo(22.21, 9)],
      ["a_seconds_count", undefined, 5],
    ]);
    expect(of("expired").at(-1)!.value).toBe(1);
  });

  it("any text as a label, any number as a value → both read back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.double(), (text, value) => {
        const metrics = createPrometheus({});
        metrics.observe({ ...gauge, description: text }, () => [{ value, attributes: { "a.b": text } }]);
        const family = readExposition(metrics.text()).get("a_gauge")!;
        expect(family.help).toBe(text);
        expect(family.samples[0]!.labels).toEqual({ a_b: text });
        expect(family.samples[0]!.value).toEqual(Object.is(value, -0) ? 0 : value);
      }),
    );
  });

  it("the same series from two readers → the last value once; a reader that has ended → none", () => {
    const metrics = createPrometheus({});
    const read = () => [{ value: 1, attributes: { x: "a" } }];
    const stops = [
      metrics.observe(gauge, read),
      metrics.observe(gauge, read),
      metrics.observe(gauge, () => [{ value: 2, attributes: { x: "a" } }]),
    ];
    expect(readExposition(metrics.text()).get("a_gauge")!.samples).toMatchObject([{ value: 2 }]);
    stops[0]!();
    stops[2]!();
    expect(readExposition(metrics.text()).get("a_gauge")!.samples).toMatchObject([{ value: 1 }]);
    stops[1]!();
    expect(readExposition(metrics.text()).has("a_gauge")).toBe(false);
  });

  it("more series than a metric may have → the rest counted together", () => {
    const metrics = createPrometheus({});
    for (let n = 0; n < 1500; n++) metrics.record(histogram, 1, { n });
    metrics.record(histogram, 1, { n: 3 });
    const counts = readExposition(metrics.text())
      .get("a_seconds")!
      .samples.filter(({ name }) => name === "a_seconds_count");
    expect(counts).toHaveLength(1001);
    expect(counts.at(-1)).toMatchObject({ labels: { overflow: "true" }, value: 500 });
    expect(counts[3]).toMatchObject({ labels: { n: "3" }, value: 2 });
  });
});
