/** Attributes of a metric or span: few values each, never an id or a name that a peer chooses. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** One value of a metric that is read when somebody looks. */
export interface Observation {
  readonly value: number;
  readonly attributes?: Attributes;
}

/** A metric, named as OpenTelemetry names them; `unit` in UCUM. */
export interface Metric {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly unit: string;
  readonly description: string;
  readonly boundaries?: readonly number[]; // of a histogram
}

/** A piece of work in a trace. */
export interface Span {
  /** W3C Trace Context, to hand on; undefined without tracing. */
  readonly traceparent: string | undefined;
  event(name: string): void;
  /** `error` marks it as failed. */
  end(attributes?: Attributes, error?: string): void;
}

export interface SpanOptions {
  readonly kind: "producer" | "consumer" | "internal";
  /** The span that this one belongs to, as it came in a message; anything else begins a trace. */
  readonly traceparent?: string | undefined;
  readonly attributes?: Attributes;
}

/** Interface through which parts report metrics and spans. Free of cost when unused. */
export interface Telemetry {
  /** Adds to a histogram. */
  record(metric: Metric, value: number, attributes?: Attributes): void;
  /** Reads a counter or gauge whenever it is looked at; the returned function ends that. */
  observe(metric: Metric, read: () => readonly Observation[]): () => void;
  span(name: string, options: SpanOptions): Span;
  /** Sends what is left, for a bounded time. */
  close(): Promise<void>;
}

const silentSpan: Span = { traceparent: undefined, event: () => {}, end: () => {} };

/** Nobody listens. */
export const noTelemetry: Telemetry = {
  record: () => {},
  observe: () => () => {},
  span: () => silentSpan,
  close: () => Promise.resolve(),
};
