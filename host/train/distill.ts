import type { Random } from "../core/system/random.ts";
import { type Aggregation, aggregate, type Reliability } from "./aggregate.ts";
import type { Batch } from "./batches.ts";
import { INPUT_SCALE } from "./net-constants.ts";

/** How a student learns from an ensemble. */
export interface Distillation {
  readonly aggregation: Aggregation;
  readonly softShare: number; // of the target of a sequence as it was recorded; the rest is its label
  readonly mixShare: number; // of windows that are blended with another of their batch; their target is the ensemble's alone
  readonly batches: number; // window batches, and crop batches, that are drawn and labelled once and then used again and again
}

/** One member of the ensemble: logits (B·L, nClasses) of its last exit for B plain sequences. */
export type TeacherLogits = (patches: Float32Array, seqLen: number) => Float32Array;

/**
 * Replaces a batch's targets by soft ones: teacher and student see the very same disturbed input, blends of two wearers included, so
 * that the student learns the ensemble's function and not only its labels (Beyer et al. 2022, arXiv 2106.05237). Rows without a
 * label stay without weight. Changes `batch.patches` and `batch.target`.
 */
export function softenBatch(
  batch: Batch,
  teachers: readonly TeacherLogits[],
  nClasses: number,
  options: Distillation,
  reliability: Reliability | undefined,
  random: Random,
): void {
  const isMixed = blend(batch, options.mixShare, random);
  const soft = aggregate(
    options.aggregation,
    teachers.map((logits) => logits(batch.patches, batch.seqLen)),
    nClasses,
    reliability,
  );
  const { target, size, seqLen } = batch;
  for (let row = 0; row < size * seqLen; row++) {
    const own = target.subarray(row * nClasses, (row + 1) * nClasses);
    const weight = own.reduce((sum, value) => sum + value, 0);
    const share = isMixed[Math.floor(row / seqLen)] ? 1 : options.softShare;
    for (let c = 0; c < nClasses; c++) own[c] = weight * share * soft[row * nClasses + c]! + (1 - share) * own[c]!;
  }
}

/** Blends a share of the sequences with others of the batch, each by its own uniform share, and rounds to int8 again. Returns which. */
function blend(batch: Batch, share: number, random: Random): Uint8Array {
  const { patches, size } = batch;
  const length = patches.length / size;
  const recorded = patches.slice();
  return Uint8Array.from({ length: size }, (_, i) => {
    if (random.uniform() >= share) return 0;
    const other = random.integer(size) * length;
    const part = random.uniform();
    for (let j = 0; j < length; j++) {
      const value = part * recorded[i * length + j]! + (1 - part) * recorded[other + j]!;
      patches[i * length + j] = Math.floor(value / INPUT_SCALE + 0.5) * INPUT_SCALE;
    }
    return 1;
  });
}

/** A member as a teacher. Who learned from windows alone has no say on crops: it never saw minutes of context. */
export interface Teacher {
  readonly logits: TeacherLogits;
  readonly readsCrops: boolean;
}

/** What a student learns from, beside the recordings. */
export interface Teaching extends Distillation {
  readonly teachers: readonly Teacher[];
  readonly reliability?: Reliability; // a row a teacher; for reliability-weighted
  readonly fingerprint: string; // of the teachers' weights
  readonly onBatch?: (done: number, total: number) => void; // while batches are labelled, before the first step
}

/**
 * Draws from a fixed stock of softened batches: `fresh` makes each once, `random` blends windows; `pick` chooses one for a step.
 * Crops are not blended: two recordings at once have no sequence of activities to learn.
 * `kinds` names the batches that the recipe takes turns with.
 */
export function taughtDrawer(
  fresh: (isWindow: boolean) => Batch,
  kinds: { readonly windows: boolean; readonly crops: boolean },
  nClasses: number,
  teaching: Teaching,
  random: Random,
  pick: Random,
): (isWindow: boolean) => Batch {
  const total = teaching.batches * (Number(kinds.windows) + Number(kinds.crops));
  let done = 0;
  const stock = (isWindow: boolean): Batch[] =>
    Array.from({ length: teaching.batches }, () => {
      const batch = fresh(isWindow);
      const isHeard = ({ readsCrops }: Teacher): boolean => isWindow || readsCrops;
      const teachers = teaching.teachers.filter(isHeard).map(({ logits }) => logits);
      const reliability = teaching.reliability?.filter((_, m) => isHeard(teaching.teachers[m]!));
      softenBatch(batch, teachers, nClasses, isWindow ? teaching : { ...teaching, mixShare: 0 }, reliability, random);
      teaching.onBatch?.(++done, total);
      return batch;
    });
  const windows = kinds.windows ? stock(true) : [];
  const crops = kinds.crops ? stock(false) : [];
  return (isWindow) => {
    const batches = isWindow ? windows : crops;
    return batches[pick.integer(batches.length)]!;
  };
}
