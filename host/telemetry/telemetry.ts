import { noTelemetry, type Telemetry } from "../core/telemetry.ts";
import type { MetricsAddress } from "./metrics-server.ts";

export interface TelemetryOptions {
  /** `dormouse-run`, `dormouse-cloud`, `dormouse-broker`. */
  readonly service: string;
  readonly version: string;
  /** The node or the worker. */
  readonly instance: string;
  /** OTLP over HTTP, without the path: http://collector:4318. Left out: nothing is pushed, nothing is traced. */
  readonly otlpUrl?: string;
  /** Where Prometheus may scrape. Left out: nowhere. */
  readonly metrics?: MetricsAddress;
  /** Between two pushes of metrics, default 60000. */
  readonly exportIntervalMillis?: number;
}

export interface RunningTelemetry extends Telemetry {
  readonly metricsUrl: string | undefined;
}

/** Telemetry as asked for; the SDK is loaded only then, and most runs never do. */
export async function openTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  if (options.otlpUrl === undefined && options.metrics === undefined) return { ...noTelemetry, metricsUrl: undefined };
  const { startOpenTelemetry } = await import("./open-telemetry.ts");
  return startOpenTelemetry(options);
}
