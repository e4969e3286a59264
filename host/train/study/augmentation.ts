import { recordingsOf } from "../../agent/recording.ts";
import { type Augmentation, noAugmentation } from "../augment.ts";
import { FAULT_SEED, type FaultName, faultNames, withFault } from "../faults.ts";
import { rowsConclusion } from "./conclusion.ts";
import { rowFigure } from "./row-figure.ts";
import { coreAccuracy, trainShort } from "./short-training.ts";
import { type Measured, type PartWatch, reportHead, rowParts, type Study, type StudyPlan, type StudyReport, unknownPart } from "./study.ts";
import { shareCell } from "./table-rows.ts";

/** Every row: what it changes of the recipe's own augmentation. */
const rows = {
  none: () => noAugmentation,
  "the recipe's": (own) => own,
  "no rotation": (own) => ({ ...own, rotationRadians: [0, 0, 0] }),
  "rotation twice as wide": (own) => ({ ...own, rotationRadians: twice(own.rotationRadians) }),
  "noise twice as strong": (own) => ({ ...own, noise: 2 * own.noise }),
  "no gyroscope offset": (own) => ({ ...own, gyroOffset: 0 }),
  "and pace 0.06": (own) => ({ ...own, pace: 0.06 }),
  "and sensors dropped": (own) => ({ ...own, gyroDropout: 0.08, axisDropout: 0.08 }),
} as const satisfies Record<string, (own: Augmentation) => Augmentation>;
type Triple = Augmentation["rotationRadians"];
type Row = keyof typeof rows;
const rowNames = Object.keys(rows) as Row[];

function twice([x, y, z]: Triple): Triple {
  return [2 * x, 2 * y, 2 * z];
}

/** What each disturbance of the training buys, on sound sensors and on faulty ones, from labels. */
export function augmentationStudy(plan: StudyPlan): Study {
  const jobs = rowParts(rowNames, plan.seeds);
  return {
    name: "augmentation",
    plan,
    size: () => jobs.size,
    next: (done) => [...jobs.keys()].filter((part) => !done.has(part)),
    async compute(part, watch) {
      const job = jobs.get(part);
      if (!job) throw unknownPart("augmentation", part);
      return [{ ...job, values: await compute(plan, job.row, job.seed, watch) }];
    },
    report: (done) => report(plan, [...done.values()].flat()),
  };
}

async function compute(plan: StudyPlan, row: Row, seed: number, watch: PartWatch): Promise<Measured["values"]> {
  const { training, dataset } = plan;
  const net = await trainShort(plan, seed, watch, { recipe: { augmentation: rows[row](training.recipe.augmentation) } });
  const sound = recordingsOf(dataset, training.split.select);
  const values: Record<string, number> = { ...coreAccuracy(plan, net, { recordings: sound }) };
  for (const fault of faultNames) values[fault] = coreAccuracy(plan, net, { recordings: withFault(sound, fault, FAULT_SEED) }).stream;
  return values;
}

function report(plan: StudyPlan, measured: readonly Measured[]): StudyReport {
  const headings: Record<FaultName, string> = {
    rotate20: "rotated 20°",
    "stuck-axis": "stuck axis",
    "lost-frames": "frames lost",
    "no-gyro": "no gyroscope",
  };
  return {
    study: "augmentation",
    title: "What augmentation buys",
    ...reportHead(plan),
    conclusion: rowsConclusion(rowNames, measured),
    columns: ["augmentation", "window", "stream", ...faultNames.map((fault) => `stream, ${headings[fault]}`)],
    rows: rowNames.map((row) => [row, ...["window", "stream", ...faultNames].map((value) => shareCell(measured, row, value))]),
    notes: [
      "Accuracy of the exported image in the core at the last exit, trained from labels. Rows differ from the recipe's own augmentation in what they name.",
      "Faults are those of eval --fault, on the select wearers' recordings, by the stream protocol.",
    ],
    measured,
    figure: {
      title: "Accuracy by augmentation, sound sensor",
      caption: "Dots: mean over seeds at the last exit. Lines: one deviation to either side.",
      svg: rowFigure("Accuracy by augmentation", rowNames, measured),
    },
  };
}
