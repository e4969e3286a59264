import type { Attributes, Metric, Observation, Telemetry } from "../core/session/telemetry.ts";

/** Most series per metric; further ones are counted as `{overflow="true"}`. */
const MAX_SERIES = 1000;
const OVERFLOW = labelsOf({ overflow: true });

/** Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Counters, gauges and histograms of this process in Prometheus' text exposition format. */
export interface PrometheusMetrics extends Pick<Telemetry, "record" | "observe"> {
  /** Every metric as it is now. */
  text(): string;
}

interface Histogram {
  readonly buckets: Float64Array; // values per bucket, not cumulative; the last has no bound
  sum: number;
}

interface Family {
  readonly metric: Metric;
  readonly readers: Set<() => readonly Observation[]>;
  readonly histograms: Map<string, Histogram>; // by labels
}

/** `target` identifies the process: the labels of `target_info`. */
export function createPrometheus(target: Attributes): PrometheusMetrics {
  const families = new Map<string, Family>();
  const familyOf = (metric: Metric): Family => {
    const known = families.get(metric.name);
    if (known !== undefined) return known;
    const family: Family = { metric, readers: new Set(), histograms: new Map() };
    families.set(metric.name, family);
    return family;
  };
  const observe: Telemetry["observe"] = (metric, read) => {
    const { readers } = familyOf(metric);
    const reader = () => read(); // the same function may be given twice
    readers.add(reader);
    return () => readers.delete(reader);
  };
  observe({ name: "target_info", kind: "gauge", unit: "", description: "Target metadata" }, () => [{ value: 1, attributes: target }]);
  return {
    observe,
    record(metric, value, attributes = {}) {
      const { boundaries = [] } = metric;
      const { histograms } = familyOf(metric);
      const labels = seriesIn(histograms, attributes);
      let histogram = histograms.get(labels);
      if (histogram === undefined) {
        histogram = { buckets: new Float64Array(boundaries.length + 1), sum: 0 };
        histograms.set(labels, histogram);
      }
      const found = boundaries.findIndex((bound) => value <= bound);
      histogram.buckets[found < 0 ? boundaries.length : found]!++;
      histogram.sum += value;
    },
    text: () => [...families.values()].map(familyText).join(""),
  };
}

function familyText({ metric, readers, histograms }: Family): string {
  const base = metric.name.replace(/[^a-zA-Z0-9_:]/g, "_");
  const name = metric.kind === "counter" ? `${base}_total` : base;
  const samples =
    metric.kind === "histogram"
      ? [...histograms].flatMap(([labels, histogram]) => histogramSamples(name, labels, histogram, metric.boundaries ?? []))
      : [...observed(readers)].map(([labels, value]) => sample(name, labels, value));
  if (samples.length === 0) return "";
  return `# HELP ${name} ${escapeText(metric.description)}\n# TYPE ${name} ${metric.kind}\n${samples.join("")}`;
}

/** The last value of each series: a series must not occur twice. */
function observed(readers: Family["readers"]): Map<string, number> {
  const values = new Map<string, number>();
  for (const read of readers) for (const { value, attributes = {} } of read()) values.set(seriesIn(values, attributes), value);
  return values;
}

function histogramSamples(name: string, labels: string, { buckets, sum }: Histogram, boundaries: readonly number[]): string[] {
  let count = 0;
  const cumulative = [...boundaries, Number.POSITIVE_INFINITY].map((bound, i) => {
    count += buckets[i]!;
    const le = `le="${numberText(bound)}"`;
    return sample(`${name}_bucket`, labels === "" ? le : `${labels},${le}`, count);
  });
  return [...cumulative, sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, count)];
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${numberText(value)}\n`;
}

function seriesIn(known: ReadonlyMap<string, unknown>, attributes: Attributes): string {
  const labels = labelsOf(attributes);
  return known.has(labels) || known.size < MAX_SERIES ? labels : OVERFLOW;
}

/** `name="value",…`, without braces. */
function labelsOf(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, "_")}="${escapeText(String(value)).replaceAll('"', '\\"')}"`)
    .join(",");
}

function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
