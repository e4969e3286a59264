import type { Context, Tracer } from "@opentelemetry/api";
import type { IMetricReader, MeterProvider } from "@opentelemetry/sdk-metrics";
import type { Attributes } from "../core/telemetry.ts";
import { type Metric, noTelemetry, type Telemetry } from "../core/telemetry.ts";
import { type MetricsServer, startMetricsServer } from "./metrics-server.ts";
import type { RunningTelemetry, TelemetryOptions } from "./telemetry.ts";

const EXPORT_TIMEOUT_MILLIS = 5000;
/** How long leaving may take: a collector that is away keeps nobody. */
const CLOSE_TIMEOUT_MILLIS = 2000;
const MAX_QUEUED_SPANS = 2048;
type Api = typeof import("@opentelemetry/api");

/** The SDK, 28 MB on disk: imported here and by name, so that no bundler brings it to the start of the command line. */
async function loadSdk() {
  const [api, resources, metrics, traces, prometheus, otlpMetrics, otlpTraces] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/sdk-trace-base"),
    import("@opentelemetry/exporter-prometheus"),
    import("@opentelemetry/exporter-metrics-otlp-http"),
    import("@opentelemetry/exporter-trace-otlp-http"),
  ]);
  return { api, resources, metrics, traces, prometheus, otlpMetrics, otlpTraces };
}

/** The OpenTelemetry SDK behind our small interface. */
export async function startOpenTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const sdk = await loadSdk();
  const resource = sdk.resources.resourceFromAttributes({
    "service.name": options.service,
    "service.version": options.version,
    "service.instance.id": options.instance,
  });
  const { otlpUrl, metrics } = options;
  const readers: IMetricReader[] = [];
  let server: MetricsServer | undefined;
  if (metrics !== undefined) {
    const prometheus = new sdk.prometheus.PrometheusExporter({ preventServerStart: true });
    readers.push(prometheus);
    server = await startMetricsServer(metrics, (request, response) => prometheus.getMetricsRequestHandler(request, response));
  }
  if (otlpUrl !== undefined) {
    const exporter = new sdk.otlpMetrics.OTLPMetricExporter({ url: `${otlpUrl}/v1/metrics`, timeoutMillis: EXPORT_TIMEOUT_MILLIS });
    readers.push(
      new sdk.metrics.PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: options.exportIntervalMillis ?? 60_000,
        exportTimeoutMillis: EXPORT_TIMEOUT_MILLIS,
      }),
    );
  }
  const meters = new sdk.metrics.MeterProvider({ resource, readers });
  const spans =
    otlpUrl === undefined
      ? undefined
      : new sdk.traces.BasicTracerProvider({
          resource,
          spanProcessors: [
            new sdk.traces.BatchSpanProcessor(
              new sdk.otlpTraces.OTLPTraceExporter({ url: `${otlpUrl}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MILLIS }),
              {
                maxQueueSize: MAX_QUEUED_SPANS,
                exportTimeoutMillis: EXPORT_TIMEOUT_MILLIS,
              },
            ),
          ],
        });
  return {
    ...metersOf(meters),
    span: spans === undefined ? noTelemetry.span : spansOf(sdk.api, spans.getTracer("dormouse")),
    metricsUrl: server?.url,
    async close() {
      const closing = Promise.allSettled([meters.shutdown(), spans?.shutdown(), server?.close()]);
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

/** W3C Trace Context, version 00. What is not that begins a new trace: any text is safe. */
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
