import { type Command, InvalidArgumentError, Option } from "commander";
import { type ListenAddress, parseListenAddress } from "../../core/system/listen-address.ts";
import type { Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { createLog, LOG_LEVELS, type Log, type LogLevel } from "../../telemetry/log.ts";
import { OTLP_VARIABLE, openConfiguredTelemetry, type RunningTelemetry } from "../../telemetry/telemetry.ts";
import { refuseWithout } from "./options.ts";
import { packageVersion } from "./version.ts";

/** How a long-running verb is watched. */
export interface ObserveOptions {
  readonly metrics?: ListenAddress;
  readonly otlp?: string;
  readonly log: "text" | "json";
  readonly logLevel: LogLevel;
}

/** Adds `--metrics`, `--otlp`, `--log` and `--log-level`. */
export function withObservation(command: Command): Command {
  return command
    .addOption(new Option("--metrics <[host:]port>", "serve Prometheus metrics; without a host on 127.0.0.1").argParser(metricsAddress))
    .addOption(
      new Option(
        "--otlp <url>",
        "push OpenTelemetry metrics and traces, e.g. http://collector:4318; needs the @opentelemetry packages (default: OTEL_EXPORTER_OTLP_ENDPOINT)",
      ),
    )
    .addOption(new Option("--log <format>", "log text lines, or JSON lines on stderr").choices(["text", "json"]).default("text"))
    .addOption(new Option("--log-level <level>", "log JSON lines of this level and above").choices([...LOG_LEVELS]).default("info"));
}

/** The same options for the i-th of several processes, which serve their metrics on ports of their own; all but the collector's URL. */
export function observeArguments({ metrics, log, logLevel }: ObserveOptions, index: number): string[] {
  return [
    ...(metrics === undefined ? [] : ["--metrics", `${metrics.host}:${metrics.port === 0 ? 0 : metrics.port + index}`]),
    ...(log === "json" ? ["--log", log, "--log-level", logLevel] : []),
  ];
}

/** The collector's URL for the environment of a process: it may hold a password, and `ps` shows arguments to everybody. */
export function observeEnvironment({ otlp }: ObserveOptions): Readonly<Record<string, string>> {
  return otlp === undefined ? {} : { [OTLP_VARIABLE]: otlp };
}

/** Writes remarks to the JSON log if there is one, so that stderr is JSON only. */
export function notesTo(out: Output, log: Log | undefined): (line: string) => void {
  return (line) => (log === undefined ? out.note(line) : log.write("info", line));
}

/** Opens telemetry from options and environment; notes the URL of the metrics. */
export async function observe(
  io: CliIo,
  note: (line: string) => void,
  options: Pick<ObserveOptions, "metrics" | "otlp">,
  who: { readonly service: string; readonly instance: string },
): Promise<RunningTelemetry> {
  const telemetry = await openConfiguredTelemetry(io.env, options, { ...who, version: packageVersion() });
  if (telemetry.metricsUrl !== undefined) note(`Metrics at ${telemetry.metricsUrl}`);
  return telemetry;
}

/** Throws for a level of a log that is not written. */
export function checkObserved(command: Command, { log }: ObserveOptions): void {
  if (log !== "json") refuseWithout(command, "--log json", "--log-level");
}

/** The JSON log, if requested. */
export function openLogOption(io: CliIo, options: ObserveOptions, fields: Readonly<Record<string, string>>): Log | undefined {
  if (options.log !== "json") return undefined;
  return createLog({ write: (line) => io.stderr(line), wall: () => io.clock.wall(), level: options.logLevel, fields });
}

function metricsAddress(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address === undefined) throw new InvalidArgumentError("Give a port or host:port, e.g. 9464 or 0.0.0.0:9464.");
  return address;
}
