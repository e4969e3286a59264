import { ModelError } from "../system/errors.ts";
import { countNumber, either, fields, list, number, positiveNumber, recordOf, text, wholeNumber } from "../system/shape.ts";
import type { Manifest } from "./image-types.ts";

const wearers = list(either(wholeNumber, text(1)));

/** What a manifest must be. Keys that it does not name are refused: a host that drops them would write another image. */
const manifestShape = fields(
  {
    name: text(1),
    labels: list(text(1)),
    channels: list(fields({ name: text(), unit: text(), countsPerUnit: positiveNumber })),
    frameRateHz: positiveNumber,
    orientation: text(),
    provenance: fields({ data: text(), licence: text(), trainedWith: text(), seed: wholeNumber }),
    protocol: fields({ fit: wearers, select: wearers, calibrate: wearers, test: wearers }),
    parameters: countNumber,
    metrics: recordOf(number()),
    calibration: list(
      fields(
        { temperature: positiveNumber, threshold: number(), coverage: number(), errorBound: number() },
        { trackedTemperature: positiveNumber },
      ),
    ),
  },
  {
    windows: fields({ rule: text(1), frames: countNumber }, { background: text(1), grouping: text(1) }),
    guarantee: fields({ alpha: number(), delta: number(), windows: countNumber, wearers: countNumber }),
  },
);

/** Throws BAD_MANIFEST unless `value` is a manifest. */
function checkManifest(value: unknown): Manifest {
  const flaw = manifestShape(value, "");
  if (flaw === undefined) return value as Manifest;
  throw new ModelError("BAD_MANIFEST", `model image: the manifest is not valid at ${flaw.at}: ${flaw.message}. Export the model again.`);
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
  const { provenance, protocol, windows, guarantee } = checkManifest(manifest);
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
    ...(windows && {
      windows: {
        rule: windows.rule,
        frames: windows.frames,
        ...(windows.background !== undefined && { background: windows.background }),
        ...(windows.grouping !== undefined && { grouping: windows.grouping }),
      },
    }),
    ...(guarantee && {
      guarantee: { alpha: guarantee.alpha, delta: guarantee.delta, windows: guarantee.windows, wearers: guarantee.wearers },
    }),
  };
  return new TextEncoder().encode(JSON.stringify(ordered));
}
