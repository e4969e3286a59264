import { createRandom } from "../../core/system/random.ts";
import { selectRecordings } from "../../data/recording.ts";
import { makeBatch } from "../batches.ts";
import { startJax } from "../device-arrays.ts";
import type { Scales } from "../layers.ts";
import { createNetEvaluator } from "../net-evaluator.ts";
import { createObserver } from "../observer.ts";
import { cropSampler } from "../samplers.ts";
import type { TrainedNet } from "../train-net.ts";
import { roundToFourBits, type Storage, stateBytes, weightBytes } from "./number-formats.ts";
import { rowParts, rowTable, unknownPart } from "./row-study.ts";
import { accuracies, coreAccuracy, studyImage, trainShort } from "./short-training.ts";
import type { Measured, PartWatch, StudyPlan, StudySpec } from "./study.ts";
import { countCell, shareCell } from "./table-rows.ts";

/** Every row: what runs it, and how it would lie in memory. The first seven come from float trainings, the last from quantisation-aware ones. */
const rows = {
  float32: { by: "evaluator", weights: "float", scan: "float" },
  "int8 after training, a scale a row": { by: "core", weights: "row", scan: "s32" },
  "int8 after, a scale a tensor": { by: "core", weights: "tensor", scan: "s32" },
  "int8 after, scan input at 99.9 %": { by: "core", weights: "row", scan: "s32" },
  "int8 after, scan input unclipped": { by: "core", weights: "row", scan: "s32" },
  "int4 weights after, groups of 32": { by: "core, simulated int4", weights: { fourBitGroups: 32 }, scan: "s32" },
  "int4 weights after, groups of 16": { by: "core, simulated int4", weights: { fourBitGroups: 16 }, scan: "s32" },
  "int8, quantisation-aware": { by: "core", weights: "row", scan: "s32" },
} as const satisfies Record<string, Storage & { readonly by: string }>;
type Row = keyof typeof rows;
const rowNames = Object.keys(rows) as Row[];

const kinds = ["float", "aware"] as const;

/** What int8 costs, by how its scales come about: float trainings quantised afterwards against quantisation-aware ones of the same recipe. */
export const quantisation: StudySpec = {
  title: "What int8 costs",
  size: ({ seeds }) => kinds.length * seeds.length,
  *rounds({ seeds }) {
    yield [...rowParts(kinds, seeds).keys()];
  },
  compute,
  report(_plan, measured) {
    const shares = (value: string) => (row: Row) => shareCell(measured, row, value);
    const bytes = (value: string) => (row: Row) => countCell(measured, row, value);
    return rowTable(rowNames, measured, {
      firstColumn: "numbers",
      cells: {
        ...{ "run by": (row) => rows[row].by, window: shares("window"), stream: shares("stream") },
        ...{ "image B": bytes("imageBytes"), "weights B": bytes("weightBytes"), "state B": bytes("stateBytes") },
      },
      notes: [
        "Core: the exported image in the WebAssembly core. Evaluator: the trainer's, floating point behind the int8 input. Simulated int4: weights rounded by group before the export, one byte a group's scale, then int8 a row in the core.",
        "After training: float trainings, activation scales from four batches at the 99.9900 % quantile but where the row says otherwise; scan input: u, B and C. Aware: the same recipe and seeds with int8 imitated, as the shipped net is trained.",
        "Weights: matrices, taps, biases, A, D and scales (5 B a row or tensor, 1 B an int4 group). State: scan, convolution, keys and values. Image: the core's format with these weights in it; float32, tensor scales and int4 are no format of the core.",
      ],
      figureTitle: "Accuracy by number format",
    });
  },
};

async function compute(plan: StudyPlan, part: string, watch: PartWatch): Promise<Measured[]> {
  const job = rowParts(kinds, plan.seeds).get(part);
  if (!job) throw unknownPart("quantisation", part);
  const { row: kind, seed } = job;
  const isFloat = kind === "float";
  const net = await trainShort(plan, seed, watch, isFloat ? { recipe: { quantizeFromShare: 1 } } : {});
  const found: Accuracies = isFloat ? await rowsOfFloat(plan, net, seed) : { "int8, quantisation-aware": coreAccuracy(plan, net) };
  return Object.entries(found).map(([row, accuracy]) => ({ row, seed, values: { ...accuracy, ...bytesOf(plan, net, row as Row) } }));
}

type Accuracies = Partial<Record<Row, { window: number; stream: number }>>;

async function rowsOfFloat(plan: StudyPlan, net: TrainedNet, seed: number): Promise<Accuracies> {
  const scales = await observeScales(plan, net, seed, 0.9999);
  const usual = { ...net, scales };
  const clipped = (other: TrainedNet["scales"]): TrainedNet => ({ ...net, scales: withScanInput(scales, other) });
  const fourBits = (group: number): TrainedNet => ({ ...usual, parameters: roundToFourBits(net.config, net.parameters, group) });
  return {
    float32: accuracies(plan, createNetEvaluator(net, plan.training.features, false)),
    "int8 after training, a scale a row": coreAccuracy(plan, usual),
    "int8 after, a scale a tensor": coreAccuracy(plan, usual, { weightScales: "tensor" }),
    "int8 after, scan input at 99.9 %": coreAccuracy(plan, clipped(await observeScales(plan, net, seed, 0.999))),
    "int8 after, scan input unclipped": coreAccuracy(plan, clipped(await observeScales(plan, net, seed, 1))),
    "int4 weights after, groups of 32": coreAccuracy(plan, fourBits(32)),
    "int4 weights after, groups of 16": coreAccuracy(plan, fourBits(16)),
  };
}

/** Bytes as the row would need them; the image's are those of the core's own format with other weights in it. */
function bytesOf({ training }: StudyPlan, net: TrainedNet, row: Row): Record<string, number> {
  const ownFormat: Storage = { weights: "row", scan: "s32" };
  const weights = weightBytes(net.config, rows[row]);
  const imageBytes = studyImage(training, net).length + weights - weightBytes(net.config, ownFormat);
  return { imageBytes, weightBytes: weights, stateBytes: stateBytes(net.config, rows[row]) };
}

const observedBatches = 4;
const OBSERVE_SEED = 4000; // apart from the seeds of trainings

/** Activation scales of a float net after training: the mean over four batches of undisturbed crops of the fit wearers. */
async function observeScales({ training, dataset }: StudyPlan, net: TrainedNet, seed: number, keptShare: number): Promise<Scales> {
  await startJax();
  const { config, features, recipe, classOf } = training;
  const observe = createObserver(config, keptShare);
  const crops = cropSampler(selectRecordings(dataset, training.split.fit), {
    channels: config.channels,
    patchFrames: config.patchFrames,
    patches: recipe.cropPatches,
    spliceShare: 0,
  });
  const random = createRandom(seed + OBSERVE_SEED);
  const sums: Record<string, number> = {};
  for (let i = 0; i < observedBatches; i++) {
    const batch = makeBatch(crops(recipe.cropBatch, random), recipe.cropPatches, random, {
      ...{ config, features, classOf },
      augmentation: undefined,
      labelSmoothing: 0,
      weightAt: () => 1,
      resetProbability: 0,
    });
    for (const [name, scale] of Object.entries(observe(net.parameters, batch, undefined).scales)) sums[name] = (sums[name] ?? 0) + scale;
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / observedBatches]));
}

/** `scales` with those of what the selective scan reads (u, B, C) taken from `other`. */
function withScanInput(scales: Scales, other: Scales): Scales {
  return Object.fromEntries(Object.entries(scales).map(([name, scale]) => [name, /\.(siluX|B|C)$/.test(name) ? other[name]! : scale]));
}
