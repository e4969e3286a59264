import type { Attributes, Telemetry } from "../core/session/telemetry.ts";

/** The same telemetry with attributes on every value and span: several nodes share one process. */
export function withAttributes(telemetry: Telemetry, attributes: Attributes): Telemetry {
  return {
    record: (metric, value, own) => telemetry.record(metric, value, { ...own, ...attributes }),
    observe: (metric, read) =>
      telemetry.observe(metric, () => read().map(({ value, attributes: own }) => ({ value, attributes: { ...own, ...attributes } }))),
    span: (name, options) => telemetry.span(name, { ...options, attributes: { ...options.attributes, ...attributes } }),
    close: () => telemetry.close(),
  };
}
