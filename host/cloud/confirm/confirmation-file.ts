import { z } from "zod";
import { type FloatTensors, readSafetensors, writeSafetensors } from "../../core/image/safetensors.ts";
import { DataError } from "../../core/system/errors.ts";
import type { Confirmation } from "./confirmation.ts";
import { type Forest, forestFlaw } from "./forest.ts";
import { STATISTICS } from "./statistics.ts";

const FORMAT = "dormouse-confirmation-1";
/** A file is refused beyond these. */
const MAX_BYTES = 8_000_000;
const MAX_TREES = 2000;
const MAX_NODES = 500_000;

const perChannel = z.array(z.number()).length(6);
const wearers = z.array(z.string().max(64)).max(1000);

const metadataSchema = z
  .strictObject({
    name: z.string().min(1).max(64),
    labels: z.array(z.string().min(1).max(64)).min(2).max(64),
    label: z.int().min(0),
    patchFrames: z.int().min(1).max(64),
    afterFrames: z.int().min(0).max(4096),
    scale: z.strictObject({ step: perChannel, zero: perChannel }),
    operatingPoint: z.strictObject({ mean: z.number(), linear: z.number() }),
    protocol: z.record(z.string().max(64), wearers),
  })
  .refine(({ label, labels }) => label < labels.length, { path: ["label"], error: "expected one of the labels" });

/** Bytes of a confirmation: a safetensors file, its forests as F32 (integers below 2^24 are exact), the rest as JSON in the metadata. */
export function writeConfirmation(confirmation: Confirmation): Uint8Array {
  const { boosting, extraTrees, linear, ...rest } = confirmation;
  return writeSafetensors({
    metadata: { format: FORMAT, confirmation: JSON.stringify(rest) },
    tensors: {
      ...forestTensors("boosting", boosting),
      ...forestTensors("extraTrees", extraTrees),
      "linear.means": tensorOf(linear.means),
      "linear.scales": tensorOf(linear.scales),
      "linear.weights": tensorOf(linear.weights),
      "linear.bounds": tensorOf([linear.limit, linear.bias]),
    },
  });
}

/** Reads what writeConfirmation wrote. Throws BAD_CONFIRMATION, or BAD_SAFETENSORS: any bytes are safe. */
export function readConfirmation(bytes: Uint8Array, path = "confirmation.safetensors"): Confirmation {
  const bad = (what: string): DataError =>
    new DataError(
      "BAD_CONFIRMATION",
      `${path}: ${what}. Restore it from the repository, or make it again with dormouse train fall --teacher confirmation.`,
    );
  if (bytes.length > MAX_BYTES) throw bad(`it has ${bytes.length} bytes, at most ${MAX_BYTES} are read`);
  const { tensors, metadata } = readSafetensors(bytes, path);
  if (metadata.format !== FORMAT) throw bad(`its format is "${metadata.format}", "${FORMAT}" expected`);
  const parsed = metadataSchema.safeParse(parseJson(metadata.confirmation));
  if (!parsed.success) throw bad(`its description does not fit: ${z.prettifyError(parsed.error).replaceAll("\n", "; ")}`);
  const vector = (name: string, size: number): Float32Array => {
    const values = tensors[name]?.values;
    if (values?.length !== size) throw bad(`tensor ${name} has ${values?.length ?? "no"} values, ${size} expected`);
    if (!values.every(Number.isFinite)) throw bad(`tensor ${name} holds a value that is not finite`);
    return values;
  };
  const [limit, bias] = vector("linear.bounds", 2) as unknown as [number, number];
  const scales = vector("linear.scales", STATISTICS);
  if (!(limit > 0) || !scales.every((scale) => scale > 0)) throw bad("the linear part has a scale or a limit that is not above 0");
  const forest = (name: string): Forest => {
    const found = forestOf(tensors, name);
    const flaw = found === undefined ? "it is missing or too large" : forestFlaw(found, STATISTICS);
    if (found === undefined || flaw !== undefined) throw bad(`forest ${name}: ${flaw}`);
    return found;
  };
  return {
    ...parsed.data,
    boosting: forest("boosting"),
    extraTrees: forest("extraTrees"),
    linear: { means: vector("linear.means", STATISTICS), scales, limit, weights: vector("linear.weights", STATISTICS), bias },
  };
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

type Tensor = FloatTensors["tensors"][string];

function tensorOf(values: ArrayLike<number>): Tensor {
  return { shape: [values.length], values: Float32Array.from(values) };
}

function forestTensors(name: string, { roots, feature, value, right }: Forest): Record<string, Tensor> {
  return {
    [`${name}.roots`]: tensorOf(roots),
    [`${name}.feature`]: tensorOf(feature),
    [`${name}.value`]: tensorOf(value),
    [`${name}.right`]: tensorOf(right),
  };
}

/** Undefined if a tensor is missing or has more than a forest may. */
function forestOf(tensors: FloatTensors["tensors"], name: string): Forest | undefined {
  const [roots, feature, value, right] = ["roots", "feature", "value", "right"].map((part) => tensors[`${name}.${part}`]?.values);
  if (!roots || !feature || !value || !right || roots.length > MAX_TREES || feature.length > MAX_NODES) return undefined;
  return { roots: Int32Array.from(roots), feature: Int16Array.from(feature), value, right: Int32Array.from(right) };
}
