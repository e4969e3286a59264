import { recordingsOf } from "../../agent/recording.ts";
import { createNetEvaluator } from "../net-evaluator.ts";
import type { TrainedNet } from "../train-net.ts";
import { type Storage, stateBytes, weightBytes } from "./byte-counts.ts";
import { rowsConclusion } from "./conclusion.ts";
import { roundToFourBits } from "./four-bits.ts";
import { observeScales, withScanInput } from "./observe-scales.ts";
import { rowFigure } from "./row-figure.ts";
import { shortScanAccuracy } from "./short-scan.ts";
import { accuracies, coreAccuracy, trainShort } from "./short-training.ts";
import { type Measured, type PartWatch, reportHead, rowParts, type Study, type StudyPlan, type StudyReport, unknownPart } from "./study.ts";
import { studyImage } from "./study-image.ts";
import { countCell, shareCell } from "./table-rows.ts";

/** Every row: what runs it, and how it would lie in memory. The first seven come from float trainings, the others from quantisation-aware ones. */
const rows = {
  float32: { by: "evaluator", weights: "float", scan: "float" },
  "int8 after training, a scale a row": { by: "core", weights: "row", scan: "s32" },
  "int8 after, a scale a tensor": { by: "core", weights: "tensor", scan: "s32" },
  "int8 after, scan input at 99.9 %": { by: "core", weights: "row", scan: "s32" },
  "int8 after, scan input unclipped": { by: "core", weights: "row", scan: "s32" },
  "int4 weights after, groups of 32": { by: "core, simulated int4", weights: { fourBitGroups: 32 }, scan: "s32" },
  "int4 weights after, groups of 16": { by: "core, simulated int4", weights: { fourBitGroups: 16 }, scan: "s32" },
  "int8, quantisation-aware": { by: "core", weights: "row", scan: "s32" },
  "int8, aware, int16 scan state": { by: "oracle, simulated int16", weights: "row", scan: "s16" },
} as const satisfies Record<string, Storage & { readonly by: string }>;
type Row = keyof typeof rows;
const rowNames = Object.keys(rows) as Row[];

const kinds = ["float", "aware"] as const;
/** Recordings of the fit wearers that the int16 state's scale is chosen on. */
const observedRecordings = 2;

/** What int8 costs, by how its scales come about: float trainings quantised afterwards against quantisation-aware ones of the same recipe. */
export function quantisationStudy(plan: StudyPlan): Study {
  const parts = [...rowParts(kinds, plan.seeds).keys()];
  return {
    name: "quantisation",
    plan,
    size: () => parts.length,
    next: (done) => parts.filter((part) => !done.has(part)),
    compute: (part, watch) => compute(plan, part, watch),
    report: (done) => report(plan, [...done.values()].flat()),
  };
}

async function compute(plan: StudyPlan, part: string, watch: PartWatch): Promise<Measured[]> {
  const job = rowParts(kinds, plan.seeds).get(part);
  if (!job) throw unknownPart("quantisation", part);
  const { row: kind, seed } = job;
  const isFloat = kind === "float";
  const net = await trainShort(plan, seed, watch, isFloat ? { recipe: { quantizeFromShare: 1 } } : {});
  const found = isFloat ? await rowsOfFloat(plan, net, seed) : rowsOfAware(plan, net);
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
    "int8 after, a scale a tensor": coreAccuracy(plan, usual, { image: { weightScales: "tensor" } }),
    "int8 after, scan input at 99.9 %": coreAccuracy(plan, clipped(await observeScales(plan, net, seed, 0.999))),
    "int8 after, scan input unclipped": coreAccuracy(plan, clipped(await observeScales(plan, net, seed, 1))),
    "int4 weights after, groups of 32": coreAccuracy(plan, fourBits(32)),
    "int4 weights after, groups of 16": coreAccuracy(plan, fourBits(16)),
  };
}

function rowsOfAware(plan: StudyPlan, net: TrainedNet): Accuracies {
  const { training, dataset } = plan;
  const observed = recordingsOf(dataset, training.split.fit).slice(0, observedRecordings);
  return {
    "int8, quantisation-aware": coreAccuracy(plan, net),
    "int8, aware, int16 scan state": shortScanAccuracy(studyImage(training, net), observed, recordingsOf(dataset, training.split.select)),
  };
}

/** Bytes as the row would need them; the image's are those of the core's own format with other weights in it. */
function bytesOf({ training }: StudyPlan, net: TrainedNet, row: Row): Record<string, number> {
  const ownFormat: Storage = { weights: "row", scan: "s32" };
  const weights = weightBytes(net.config, rows[row]);
  const imageBytes = studyImage(training, net).length + weights - weightBytes(net.config, ownFormat);
  return { imageBytes, weightBytes: weights, stateBytes: stateBytes(net.config, rows[row]) };
}

function report(plan: StudyPlan, measured: readonly Measured[]): StudyReport {
  return {
    study: "quantisation",
    title: "What int8 costs",
    ...reportHead(plan),
    conclusion: rowsConclusion(rowNames, measured),
    columns: ["numbers", "run by", "window", "stream", "image B", "weights B", "state B"],
    rows: rowNames.map((row) => [
      row,
      rows[row].by,
      ...["window", "stream"].map((value) => shareCell(measured, row, value)),
      ...["imageBytes", "weightBytes", "stateBytes"].map((value) => countCell(measured, row, value)),
    ]),
    notes: [
      "Core: the exported image in the WebAssembly core. Evaluator: the trainer's, floating point behind the int8 input. Simulated int16: the TypeScript oracle, its int32 scan state rounded to int16 after each patch at a power-of-two scale with room for twice the largest value of two recordings. Simulated int4: weights rounded by group before the export, one byte a group's scale, then int8 a row in the core.",
      "After training: float trainings, activation scales from four batches at the 99.9900 % quantile but where the row says otherwise; scan input: u, B and C. Aware: the same recipe and seeds with int8 imitated, as the shipped net is trained.",
      "Weights: matrices, taps, biases, A, D and scales (5 B a row or tensor, 1 B an int4 group). State: scan, convolution, keys and values. Image: the core's format with these weights in it; float32, tensor scales and int4 are no format of the core.",
    ],
    measured,
    figure: {
      title: "Accuracy by number format",
      caption: "Dots: mean over seeds at the last exit. Lines: one deviation to either side.",
      svg: rowFigure("Accuracy by number format", rowNames, measured),
    },
  };
}
