import type { Context, Tracer } from "@opentelemetry/api";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { Attributes, Metric, Telemetry } from "../core/session/telemetry.ts";
import { ConfigError } from "../core/system/errors.ts";

const EXPORT_TIMEOUT_MILLIS = 5000;
/** Shutdown timeout; an unreachable collector must not block exit. */
const CLOSE_TIMEOUT_MILLIS = 2000;
const MAX_QUEUED_SPANS = 2048;
type Api = typeof import("@opentelemetry/api");

/** The optional peers of package.json, 28 MB on disk. */
export const OTLP_PACKAGES = [
  "@opentelemetry/api@1.9.0",
  "@opentelemetry/resources@2.12.0",
  "@opentelemetry/sdk-metrics@2.12.0",
  "@opentelemetry/sdk-trace-base@2.12.0",
  "@opentelemetry/exporter-metrics-otlp-http@0.223.0",
  "@opentelemetry/exporter-trace-otlp-http@0.223.0",
] as const;

export interface OtlpOptions {
  /** Base URL of a collector for OTLP over HTTP, e.g. http://collector:4318. */
  readonly url: string;
  /** Resource attributes. */
  readonly target: Attributes;
  /** Between two pushes of metrics, default 60000. */
  readonly exportIntervalMillis?: number;
}

/** A bundler leaves a missing package to the run only if its import() is awaited in a try. */
async function loadSdk() {
  try {
    const api = await import("@opentelemetry/api");
    const resources = await import("@opentelemetry/resources");
    const metrics = await import("@opentelemetry/sdk-metrics");
    const traces = await import("@opentelemetry/sdk-trace-base");
    const otlpMetrics = await import("@opentelemetry/exporter-metrics-otlp-http");
    const otlpTraces = await import("@opentelemetry/exporter-trace-otlp-http");
    return { api, resources, metrics, traces, otlpMetrics, otlpTraces };
  } catch (cause) {
    throw packagesMissing(cause);
  }
}

function packagesMissing(cause: unknown): ConfigError {
  const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return new ConfigError(
    "OTLP_PACKAGES_MISSING",
    `OpenTelemetry cannot be loaded: ${reason}. Run npm install ${OTLP_PACKAGES.join(" ")}; or leave out --otlp and unset OTEL_EXPORTER_OTLP_ENDPOINT (--metrics needs no package). Install them before building a gateway package.`,
    { cause },
  );
}

/** Pushes metrics and traces to an OpenTelemetry collector by the OpenTelemetry SDK. Throws OTLP_PACKAGES_MISSING. */
export async function startOtlp({ url, target, exportIntervalMillis = 60_000 }: OtlpOptions): Promise<Telemetry> {
  const sdk = await loadSdk();
  const resource = sdk.resources.resourceFromAttributes(target);
  const meters = new sdk.metrics.MeterProvider({
    resource,
    readers: [
      new sdk.metrics.PeriodicExportingMetricReader({
        exporter: new sdk.otlpMetrics.OTLPMetricExporter({ url: `${url}/v1/metrics`, timeoutMillis: EXPORT_TIMEOUT_MILLIS }),
        exportIntervalMillis,
        exportTimeoutMillis: EXPORT_TIMEOUT_MILLIS,
      }),
    ],
  });
  const spans = new sdk.traces.BasicTracerProvider({
    resource,
    spanProcessors: [
      new sdk.traces.BatchSpanProcessor(
        new sdk.otlpTraces.OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MILLIS }),
        { maxQueueSize: MAX_QUEUED_SPANS, exportTimeoutMillis: EXPORT_TIMEOUT_MILLIS },
      ),
    ],
  });
  return {
    ...metersOf(meters),
    span: spansOf(sdk.api, spans.getTracer("dormouse")),
    async close() {
      const closing = Promise.allSettled([meters.shutdown(), spans.shutdown()]);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([closing, new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MILLIS)))]);
      clearTimeout(timer);
    },
  };
}

function metersOf(provider: MeterProvider): Pick<Telemetry, "record" | "observe"> {
  const meter = provider.getMeter("dormouse");
  const detailsOf = ({ unit, description, boundaries }: Metric) => ({
    ...{ unit, description },
    ...(boundaries === undefined ? {} : { advice: { explicitBucketBoundaries: [...boundaries] } }),
  });
  return {
    record: (metric, value, attributes = {}) => meter.createHistogram(metric.name, detailsOf(metric)).record(value, attributes), // the same instrument again
    observe(metric, read) {
      const make = metric.kind === "counter" ? "createObservableCounter" : "createObservableGauge";
      const instrument = meter[make](metric.name, detailsOf(metric));
      const callback = (result: { observe(value: number, attributes?: Attributes): void }) => {
        for (const { value, attributes } of read()) result.observe(value, attributes);
      };
      instrument.addCallback(callback);
      return () => instrument.removeCallback(callback);
    },
  };
}

function spansOf(api: Api, tracer: Tracer): Telemetry["span"] {
  const kinds = { producer: api.SpanKind.PRODUCER, consumer: api.SpanKind.CONSUMER, internal: api.SpanKind.INTERNAL } as const;
  return (name, { kind, traceparent, attributes = {} }) => {
    const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, contextOf(api, traceparent));
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`,
      event: (what) => void span.addEvent(what),
      end(more = {}, error) {
        span.setAttributes(more);
        if (error !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: error.slice(0, 256) });
        span.end();
      },
    };
  };
}

/** W3C Trace Context, version 00. Malformed text starts a new trace. */
function contextOf({ ROOT_CONTEXT, trace }: Api, traceparent: string | undefined): Context {
  const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? "");
  if (parts === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parts[1]!,
    spanId: parts[2]!,
    traceFlags: Number.parseInt(parts[3]!, 16) & 1,
    isRemote: true,
  }); // ids of zeros are invalid, and the SDK begins a trace then
}
