import { type Attributes, noTelemetry, type Telemetry } from "../core/session/telemetry.ts";
import { closeAll } from "../core/system/close-all.ts";
import { ConfigError } from "../core/system/errors.ts";
import type { ListenAddress } from "../core/system/listen-address.ts";
import { urlText } from "../core/system/secrets.ts";
import { type MetricsServer, startMetricsServer } from "./metrics-server.ts";
import { createPrometheus, EXPOSITION_TYPE, type PrometheusMetrics } from "./prometheus.ts";

export interface TelemetryOptions {
  /** `dormouse-run`, `dormouse-cloud`, `dormouse-broker`. */
  readonly service: string;
  readonly version: string;
  /** The node or the worker. */
  readonly instance: string;
  /** OTLP over HTTP, without the path: http://collector:4318. Default: no push, no traces. */
  readonly otlpUrl?: string;
  /** Address of the Prometheus endpoint. Default: none. */
  readonly metrics?: ListenAddress;
  /** Between two pushes of metrics, default 60000. */
  readonly exportIntervalMillis?: number;
}

export interface RunningTelemetry extends Telemetry {
  readonly metricsUrl: string | undefined;
}

/** Fallback for the collector's address. */
export const OTLP_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT";

/** Opens telemetry from options and environment. Throws OTLP_URL. */
export function openConfiguredTelemetry(
  env: Readonly<Record<string, string | undefined>>,
  { metrics, otlp }: { readonly metrics?: ListenAddress | undefined; readonly otlp?: string | undefined },
  who: Pick<TelemetryOptions, "service" | "instance" | "version">,
): Promise<RunningTelemetry> {
  const isOff = env.OTEL_SDK_DISABLED?.toLowerCase() === "true";
  const url = (otlp ?? env[OTLP_VARIABLE])?.replace(/\/+$/, "");
  const isPushed = url !== undefined && url !== "" && !isOff;
  if (isPushed && !(/^https?:/i.test(url) && URL.canParse(url)))
    throw new ConfigError(
      "OTLP_URL",
      `${urlText(url)} is no collector's address: give --otlp, or OTEL_EXPORTER_OTLP_ENDPOINT, as http://host:4318.`,
    );
  return openTelemetry({ ...who, ...(isPushed ? { otlpUrl: url } : {}), ...(metrics === undefined ? {} : { metrics }) });
}

/** Opens telemetry. Only a collector needs OpenTelemetry's packages. Throws METRICS_LISTEN_FAILED, OTLP_PACKAGES_MISSING. */
export async function openTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const target = { "service.name": options.service, "service.version": options.version, "service.instance.id": options.instance };
  const prometheus = options.metrics && (await servePrometheus(options.metrics, target));
  const otlp = await push(options, target).catch(async (error: unknown) => {
    await prometheus?.close();
    throw error;
  });
  const sinks = [prometheus, otlp].filter((sink) => sink !== undefined);
  return {
    record(metric, value, attributes) {
      for (const sink of sinks) sink.record(metric, value, attributes);
    },
    observe(metric, read) {
      const stops = sinks.map((sink) => sink.observe(metric, read));
      return () => {
        for (const stop of stops) stop();
      };
    },
    span: otlp?.span ?? noTelemetry.span,
    metricsUrl: prometheus?.url,
    close: () =>
      closeAll(
        () => otlp?.close(),
        () => prometheus?.close(),
      ),
  };
}

async function push({ otlpUrl, exportIntervalMillis }: TelemetryOptions, target: Attributes): Promise<Telemetry | undefined> {
  if (otlpUrl === undefined) return undefined;
  const { startOtlp } = await import("./otlp.ts");
  return startOtlp({ url: otlpUrl, target, ...(exportIntervalMillis === undefined ? {} : { exportIntervalMillis }) });
}

async function servePrometheus(address: ListenAddress, target: Attributes): Promise<PrometheusMetrics & MetricsServer> {
  const prometheus = createPrometheus(target);
  const server = await startMetricsServer(address, (response) => {
    const text = prometheus.text();
    response.writeHead(200, { "content-type": EXPOSITION_TYPE }).end(text);
  });
  return { ...prometheus, ...server };
}
