/** A sample of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/;
const NUMBER = /^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/**
 * Reads text format 0.0.4 strictly and throws for what Prometheus would refuse: a line of another shape, a family in two places or
 * without a type, a series that occurs twice, buckets that do not add up.
 */
export function readExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  const seen = new Set<string>();
  let current = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/s.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (kind === "HELP") {
        if (families.has(name)) throw new Error(`family ${name} occurs twice`);
        families.set(name, { type: "", help: unescaped(rest), samples: [] });
        current = name;
      } else if (name !== current || families.get(name)!.samples.length > 0 || !/^(counter|gauge|histogram)$/.test(rest))
        throw new Error(`misplaced: ${line}`);
      else families.get(name)!.type = rest;
      continue;
    }
    const family = families.get(current);
    const sample = readSample(line);
    if (family === undefined || family.type === "") throw new Error(`a sample before its type: ${line}`);
    const suffix = family.type === "histogram" ? sample.name.slice(current.length) : "";
    if (!sample.name.startsWith(current) || (family.type === "histogram" ? !/^_(bucket|sum|count)$/.test(suffix) : sample.name !== current))
      throw new Error(`a sample of another family in ${current}: ${line}`);
    const series = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (seen.has(series)) throw new Error(`the series occurs twice: ${line}`);
    seen.add(series);
    family.samples.push(sample);
  }
  for (const [name, family] of families) if (family.type === "histogram") checkHistogram(name, family);
  return families;
}

function readSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  if (match === null || !NUMBER.test(match[3]!)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = match[2] ?? ""; rest !== ""; ) {
    const label = LABEL.exec(rest);
    if (label === null || label[1]! in labels) throw new Error(`bad labels: ${line}`);
    labels[label[1]!] = unescaped(label[2]!);
    rest = rest.slice(label[0].length);
  }
  return { name: match[1]!, labels, value: Number(match[3]!.replace("Inf", "Infinity")) };
}

const unescaped = (text: string) => text.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c));

function checkHistogram(name: string, { samples }: Family): void {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...own } = sample.labels;
    const key = JSON.stringify(own);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, own] of series) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels.le!.replace("Inf", "Infinity")));
    const ascends = (values: readonly number[], isStrict: boolean) =>
      values.every((value, i) => i === 0 || (isStrict ? value > values[i - 1]! : value >= values[i - 1]!));
    const count = own.find((sample) => sample.name === `${name}_count`)?.value;
    const isWhole =
      own.length === buckets.length + 2 &&
      bounds.at(-1) === Number.POSITIVE_INFINITY &&
      count === buckets.at(-1)!.value &&
      ascends(bounds, true);
    if (
      !isWhole ||
      !ascends(
        buckets.map(({ value }) => value),
        false,
      )
    )
      throw new Error(`buckets of ${name} ${key} do not add up`);
  }
}
