import { ConfigError } from "../core/errors.ts";
import { urlText } from "../core/secrets.ts";
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

/** Names the collector if nothing else does. */
export const OTLP_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT";

/** Telemetry as options and environment ask for it. Throws OTLP_URL. */
export function openConfiguredTelemetry(
  env: Readonly<Record<string, string | undefined>>,
  { metrics, otlp }: { readonly metrics?: MetricsAddress | undefined; readonly otlp?: string | undefined },
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

/** Telemetry as asked for; the SDK is loaded only then, and most runs never do. */
export async function openTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  if (options.otlpUrl === undefined && options.metrics === undefined) return { ...noTelemetry, metricsUrl: undefined };
  const { startOpenTelemetry } = await import("./open-telemetry.ts");
  return startOpenTelemetry(options);
}
