import { readFileSync } from "node:fs";
import { DataError } from "../../core/system/errors.ts";
import { createSyntheticWearer, type SyntheticParameters } from "../../data/synthetic.ts";
import type { Sensor } from "./sensor.ts";

/** A wearer who does not exist: the same seed gives the same frames, for ever. */
export function syntheticSensor(parameters: SyntheticParameters, seed: number): Sensor {
  return {
    name: `synthetic:${seed}`,
    rateHz: parameters.frameRateHz,
    channels: 6,
    async *[Symbol.asyncIterator]() {
      const wearer = createSyntheticWearer({ parameters, seed });
      for (let tick = 0; ; tick = (tick + 1) >>> 0) {
        const { frame, label } = wearer.next();
        yield { tick, frame, truth: label };
      }
    },
  };
}

/** Reads the parameters of a synthetic wearer; they are made by the trainer. */
export function readSyntheticParameters(path: string): SyntheticParameters {
  let value: Partial<SyntheticParameters>;
  try {
    value = JSON.parse(readFileSync(path, "utf8")) as Partial<SyntheticParameters>;
  } catch (cause) {
    throw new DataError("SYNTHETIC_UNREADABLE", `cannot read the synthetic wearer ${path}: ${String(cause)}. Restore the file.`, { cause });
  }
  if (value?.version !== 1 || typeof value.frameRateHz !== "number" || !Array.isArray(value.wearers)) {
    throw new DataError("SYNTHETIC_INVALID", `${path} holds no synthetic wearer of version 1. Restore the file, or fit it again.`);
  }
  return value as SyntheticParameters;
}
