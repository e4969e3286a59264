import { createHash } from "node:crypto";
import { z } from "zod";
import { type FloatTensors, readSafetensors, writeSafetensors } from "../core/image/safetensors.ts";
import { DataError } from "../core/system/errors.ts";
import { checkFingerprint, type Fingerprint } from "./fingerprint.ts";
import type { Parameters } from "./layers.ts";
import { type NetConfig, parameterShapes } from "./net-config.ts";
import type { TrainState } from "./train-net.ts";

/** A training between two steps, as a file keeps it. */
export interface Checkpoint {
  readonly fingerprint: Fingerprint;
  readonly state: TrainState;
  readonly seconds: number; // spent so far, for people
  readonly losses?: readonly number[]; // of the steps since the last progress line; default none
}

const FORMAT = "dormouse-checkpoint-1";
const int32 = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);
const share = z.number().min(0).max(1);

const scalarsSchema = z.strictObject({
  step: z.int().nonnegative(),
  correction1: share,
  correction2: share,
  scales: z.record(z.string(), z.number().positive()).nullable(),
  residualMax: z.number().nonnegative(),
  random: z.strictObject({ words: z.tuple([int32, int32, int32, int32]), spare: z.number().nullable() }),
  seconds: z.number().nonnegative(),
  losses: z.array(z.number()).default([]),
});

const fingerprintSchema: z.ZodType<Fingerprint> = z.strictObject({
  net: z.string(),
  features: z.string(),
  recipe: z.string(),
  classes: z.string(),
  seed: z.string(),
  recordings: z.string(),
  teachers: z.string(),
});

/** Bytes of a checkpoint: a safetensors file with the weights, their average and both moments; the rest as JSON in its metadata, and a digest over all. */
export function writeCheckpoint(config: NetConfig, { fingerprint, state, seconds, losses = [] }: Checkpoint): Uint8Array {
  const { parameters, average, optimiser, step, scales, residualMax, random } = state;
  const groups = { parameters, average, first: optimiser.first, second: optimiser.second };
  const tensors: Record<string, FloatTensors["tensors"][string]> = {};
  for (const [group, values] of Object.entries(groups))
    for (const [name, shape] of Object.entries(parameterShapes(config))) tensors[`${group}/${name}`] = { shape, values: values[name]! };
  const { correction1, correction2 } = optimiser;
  const scalars: z.infer<typeof scalarsSchema> = {
    ...{ step, correction1, correction2, residualMax, seconds, losses: [...losses] },
    scales: scales && { ...scales },
    random: { words: [...random.words], spare: random.spare },
  };
  const metadata = { format: FORMAT, fingerprint: JSON.stringify(fingerprint), state: JSON.stringify(scalars) };
  return writeSafetensors({ tensors, metadata: { ...metadata, sha256: digest({ tensors, metadata }) } });
}

/**
 * Reads what writeCheckpoint wrote. Throws CHECKPOINT_OTHER if another training than `expected` wrote it, BAD_CHECKPOINT for anything
 * that is damaged, however.
 */
export function readCheckpoint(bytes: Uint8Array, config: NetConfig, expected: Fingerprint, path = "checkpoint.safetensors"): Checkpoint {
  const bad = (what: string, cause?: unknown): DataError =>
    new DataError("BAD_CHECKPOINT", `${path} is no usable checkpoint: ${what}. Start anew with --fresh, or delete the file.`, { cause });
  let file: FloatTensors;
  try {
    file = readSafetensors(bytes, path);
  } catch (cause) {
    throw bad("it is cut short or damaged", cause);
  }
  const { sha256, ...metadata } = file.metadata;
  if (metadata.format !== FORMAT) throw bad(`its format is "${metadata.format}", "${FORMAT}" expected`);
  if (sha256 !== digest({ tensors: file.tensors, metadata })) throw bad("its digest does not match its content");
  const parse = <S extends z.ZodType>(schema: S, name: string): z.output<S> => {
    try {
      return schema.parse(JSON.parse(metadata[name] ?? ""));
    } catch (cause) {
      throw bad(`its ${name} is not valid`, cause);
    }
  };
  const fingerprint = parse(fingerprintSchema, "fingerprint");
  checkFingerprint(fingerprint, expected, path);
  const { seconds, losses, correction1, correction2, ...rest } = parse(scalarsSchema, "state");
  const group = (prefix: string): Parameters => {
    const values: Parameters = {};
    for (const [name, shape] of Object.entries(parameterShapes(config))) {
      const tensor = file.tensors[`${prefix}/${name}`];
      if (tensor?.shape.join() !== shape.join()) throw bad(`${prefix} of ${name} is [${tensor?.shape ?? "none"}], [${shape}] expected`);
      values[name] = tensor.values;
    }
    return values;
  };
  const optimiser = { first: group("first"), second: group("second"), correction1, correction2 };
  return { fingerprint, seconds, losses, state: { ...rest, parameters: group("parameters"), average: group("average"), optimiser } };
}

/** SHA-256 over names, shapes and values of all tensors and over the metadata. */
function digest({ tensors, metadata }: FloatTensors): string {
  const hash = createHash("sha256").update(JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))));
  for (const name of Object.keys(tensors).sort()) {
    const { shape, values } = tensors[name]!;
    hash.update(JSON.stringify([name, shape]));
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
