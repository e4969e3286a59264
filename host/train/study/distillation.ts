import { ConfigError } from "../../core/system/errors.ts";
import { selectRecordings } from "../../data/recording.ts";
import { readMetrics } from "../../eval/seed-summary.ts";
import { type Aggregation, aggregate, aggregations, computeReliability, type Reliability } from "../aggregate.ts";
import { startJax } from "../device-arrays.ts";
import type { Teaching } from "../distill.ts";
import { loadTeaching, memberEvaluator } from "../ensemble.ts";
import { memberDir } from "../member-dir.ts";
import { computeAccuracy, type NetEvaluator, type ScoredWindows } from "../net-evaluator.ts";
import { trainAgent } from "../run.ts";
import { openRunFolder } from "../run-folder.ts";
import type { Ensemble } from "../training.ts";
import { rowParts, rowTable, unknownPart } from "./row-study.ts";
import { calibrationError, scoreNet, shortRecipe, trainShort } from "./short-training.ts";
import type { Measured, PartWatch, StudyPlan, StudySpec } from "./study.ts";
import { shareCell } from "./table-rows.ts";

const labelsAlone = "labels alone";
const rows = [...aggregations, labelsAlone] as const;
const ensemblePart = "ensemble";
/** Batches of a kind that the members label once for each student. */
const taughtBatches = 40;

/**
 * What a student learns best from: five ways to make one soft label of an ensemble's answers, or labels alone. The five have the same
 * recipe, seeds and draws, so they differ in their targets only, labels alone also in that it never sees a batch twice; the members are every second one of the agent's ensemble.
 */
export const distillation: StudySpec = {
  title: "What a student learns best from",
  size: (plan) => shortEnsemble(plan).members.length + 1 + rows.length * plan.seeds.length,
  *rounds(plan) {
    yield shortEnsemble(plan).members.map(({ name }) => `member-${name}`);
    yield [ensemblePart];
    yield [...rowParts(rows, plan.seeds).keys()];
  },
  compute,
  report(_plan, measured) {
    const share = (row: string, value: string): string => shareCell(measured, row, value);
    const cells = (value: string) => (row: string) => share(row, value);
    const ofEnsemble = (value: string) => (row: string) => share(`ensemble by ${row}`, value);
    const members = [...new Set(measured.map(({ row }) => row))].filter((row) => row.startsWith("member "));
    const memberText = members.map((row) => `${row.slice(7)} ${share(row, "window")} and ${share(row, "stream")}`).join(", ");
    return rowTable(rows, measured, {
      firstColumn: "targets",
      cells: {
        ...{ window: cells("window"), stream: cells("stream"), "ECE window": cells("eceWindow"), "ECE stream": cells("eceStream") },
        ...{ "ECE stream, scaled": cells("eceStreamScaled") },
        ...{ "ensemble window": ofEnsemble("window"), "ensemble stream": ofEnsemble("stream") },
      },
      notes: [
        `Student accuracy at the last exit, int8 imitated by the evaluator. One recipe and the same seeds for all rows. Students of the ensemble see the same ${taughtBatches} batches of windows and of crops again and again; labels alone, new ones in every step.`,
        "ECE: expected calibration error in 15 bins, as trained; scaled: at the temperature that fits the calibrate wearers.",
        `Members (float teachers; window and stream of their int8 nets): ${memberText}. Reliability is measured on the calibrate wearers.`,
      ],
      figureTitle: "Accuracy by target",
    });
  },
};

/** The study's own ensemble: three members of the agent's five, short trainings on the fit wearers. */
function shortEnsemble({ training, steps }: StudyPlan): Ensemble {
  const { ensemble } = training;
  if (!ensemble)
    throw new ConfigError(
      "STUDY_NO_ENSEMBLE",
      `agent ${training.name} learns from no ensemble: there is nothing to distil. Choose another --study.`,
    );
  return {
    members: ensemble.members
      .filter((_, i) => i % 2 === 0)
      .map((member) => ({ ...member, training: { ...member.training, recipe: shortRecipe(member.training.recipe, steps) } })),
    distillation: { ...ensemble.distillation, batches: Math.min(taughtBatches, ensemble.distillation.batches) },
  };
}

async function compute(plan: StudyPlan, part: string, watch: PartWatch): Promise<Measured[]> {
  const ensemble = shortEnsemble(plan);
  const member = ensemble.members.find(({ name }) => part === `member-${name}`);
  if (member) {
    const outDir = memberDir(plan.outDir, member);
    await trainAgent(member.training, {
      ...{ dataset: plan.dataset, seed: member.seed, phase: "select", outDir },
      ...(watch.signal ? { signal: watch.signal } : {}),
      onProgress: ({ step, steps }) => watch.onStep?.(step, steps),
    });
    const { heldOut } = readMetrics(openRunFolder(outDir, false).path("metrics"));
    const values = { window: heldOut.window.accuracy.at(-1)!, stream: heldOut.stream.accuracy.at(-1)! };
    return [{ row: `member ${member.name}`, seed: member.seed, values }];
  }
  if (part === ensemblePart) return ensembleRows(plan, await evaluators(plan, ensemble));
  const student = rowParts(rows, plan.seeds).get(part);
  if (!student) throw unknownPart("distillation", part);
  const { row, seed } = student;
  const teaching = row === labelsAlone ? undefined : await teachingBy(plan, ensemble, row);
  const net = await trainShort(plan, seed, watch, teaching ? { teaching } : {});
  return [{ row, seed, values: scoreNet(plan, net) }];
}

async function evaluators({ outDir }: StudyPlan, { members }: Ensemble): Promise<NetEvaluator[]> {
  await startJax();
  return members.map((member) => memberEvaluator(outDir, member));
}

/** Reliability is measured on streaming decisions of the calibrate wearers: no member was fitted on them, transitions count. */
async function teachingBy(plan: StudyPlan, ensemble: Ensemble, aggregation: Aggregation): Promise<Teaching> {
  const teaching = { ...(await loadTeaching(ensemble, plan.outDir)), aggregation };
  if (aggregation !== "reliability-weighted") return teaching;
  return { ...teaching, reliability: reliabilityOnCalibrate(plan, await evaluators(plan, ensemble)) };
}

function reliabilityOnCalibrate({ training, dataset }: StudyPlan, members: readonly NetEvaluator[]): Reliability {
  const recordings = selectRecordings(dataset, training.split.calibrate);
  const decisions = members.map((member) => member.decisions(recordings, training.image.hopPatches, training.classOf));
  const logits = decisions.map((one) => one.logits.at(-1)!);
  return computeReliability(logits, decisions[0]!.labels, training.config.nClasses);
}

/** The ensemble itself by each aggregation, on the select wearers: rows "ensemble by …". */
function ensembleRows(plan: StudyPlan, members: readonly NetEvaluator[]): Measured[] {
  const { nClasses } = plan.training.config;
  const recordings = selectRecordings(plan.dataset, plan.training.split.select);
  const trust = reliabilityOnCalibrate(plan, members);
  const window = members.map((member) => member.windows(recordings));
  const stream = members.map((member) => member.stream(recordings));
  const said = (kind: Aggregation, all: readonly ScoredWindows[]): ScoredWindows => {
    const logits = all.map((one) => one.logits.at(-1)!);
    const labels = aggregate(kind, logits, nClasses, trust);
    return { ...all[0]!, logits: [labels.map((p) => Math.log(Math.max(p, 1e-12)))] };
  };
  return aggregations.map((kind) => {
    const [ofWindows, ofStream] = [said(kind, window), said(kind, stream)];
    const values = {
      window: computeAccuracy(ofWindows, 0),
      stream: computeAccuracy(ofStream, 0),
      eceStream: calibrationError(ofStream, 1),
    };
    return { row: `ensemble by ${kind}`, seed: 0, values };
  });
}
