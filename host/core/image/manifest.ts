import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import type { Manifest } from "./image-types.ts";

const wearers = z.array(z.union([z.int(), z.string().min(1)]));

/** What a manifest must be. Keys that it does not name are refused: a host that drops them would write another image. */
const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  name: z.string().min(1),
  labels: z.array(z.string().min(1)),
  channels: z.array(z.strictObject({ name: z.string(), unit: z.string(), countsPerUnit: z.number().positive() })),
  frameRateHz: z.number().positive(),
  orientation: z.string(),
  provenance: z.strictObject({ data: z.string(), licence: z.string(), trainedWith: z.string(), seed: z.int() }),
  protocol: z.strictObject({ fit: wearers, select: wearers, calibrate: wearers, test: wearers }),
  parameters: z.int().nonnegative(),
  metrics: z.record(z.string(), z.number()),
  calibration: z.array(
    z.strictObject({
      temperature: z.number().positive(),
      trackedTemperature: z.number().positive().exactOptional(),
      threshold: z.number(),
      coverage: z.number(),
      errorBound: z.number(),
    }),
  ),
  guarantee: z
    .strictObject({ alpha: z.number(), delta: z.number(), windows: z.int().nonnegative(), wearers: z.int().nonnegative() })
    .exactOptional(),
});

/** Throws BAD_MANIFEST unless `value` is a manifest. */
function checkManifest(value: unknown): Manifest {
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = issue?.path.join(".") || "its top level";
  throw new ModelError(
    "BAD_MANIFEST",
    `model image: the manifest is not valid at ${at}: ${issue?.message ?? "unknown"}. Export the model again.`,
  );
}

/** The MANIFEST section's bytes as a manifest. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new ModelError("BAD_MANIFEST", "model image: the manifest is not UTF-8 JSON. Export the model again.", { cause });
  }
  return checkManifest(value);
}

/** Compact JSON, keys in the order of the type, metrics by name: the same manifest gives the same bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { provenance, protocol, guarantee } = checkManifest(manifest);
  const names = Object.keys(manifest.metrics).sort();
  const ordered: Manifest = {
    name: manifest.name,
    labels: manifest.labels,
    channels: manifest.channels.map(({ name, unit, countsPerUnit }) => ({ name, unit, countsPerUnit })),
    frameRateHz: manifest.frameRateHz,
    orientation: manifest.orientation,
    provenance: { data: provenance.data, licence: provenance.licence, trainedWith: provenance.trainedWith, seed: provenance.seed },
    protocol: { fit: protocol.fit, select: protocol.select, calibrate: protocol.calibrate, test: protocol.test },
    parameters: manifest.parameters,
    metrics: Object.fromEntries(names.map((name) => [name, manifest.metrics[name]!])),
    calibration: manifest.calibration.map(({ temperature, trackedTemperature, threshold, coverage, errorBound }) => ({
      temperature,
      ...(trackedTemperature === undefined ? {} : { trackedTemperature }),
      threshold,
      coverage,
      errorBound,
    })),
    ...(guarantee && {
      guarantee: { alpha: guarantee.alpha, delta: guarantee.delta, windows: guarantee.windows, wearers: guarantee.wearers },
    }),
  };
  return new TextEncoder().encode(JSON.stringify(ordered));
}
