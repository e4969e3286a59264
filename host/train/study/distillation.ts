import { recordingsOf } from "../../agent/recording.ts";
import { ConfigError } from "../../core/errors.ts";
import { type Aggregation, aggregate, aggregations, reliabilityOf } from "../aggregate.ts";
import { startJax } from "../device-arrays.ts";
import type { Teaching } from "../distill.ts";
import { loadTeaching, memberDir, memberEvaluator } from "../ensemble.ts";
import { accuracyOf, type NetEvaluator, type ScoredWindows } from "../net-evaluator.ts";
import { trainAgent } from "../run.ts";
import { openRunFolder } from "../run-folder.ts";
import { readMetrics } from "../summary.ts";
import type { Ensemble } from "../training.ts";
import { rowsConclusion } from "./conclusion.ts";
import { rowFigure } from "./row-figure.ts";
import { calibrationError, scoreNet, shortRecipe, trainShort } from "./short-training.ts";
import { type Measured, type PartWatch, reportHead, rowParts, type Study, type StudyPlan, type StudyReport, unknownPart } from "./study.ts";
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
export function distillationStudy(plan: StudyPlan): Study {
  const ensemble = shortEnsemble(plan);
  const members = ensemble.members.map(({ name }) => `member-${name}`);
  const students = [...rowParts(rows, plan.seeds).keys()];
  return {
    name: "distillation",
    plan,
    size: () => members.length + 1 + students.length,
    next(done) {
      const missing = (parts: readonly string[]): string[] => parts.filter((part) => !done.has(part));
      const [first] = [missing(members), missing([ensemblePart]), missing(students)].filter((parts) => parts.length > 0);
      return first ?? [];
    },
    compute: (part, watch) => compute(plan, ensemble, part, watch),
    report: (done) => report(plan, [...done.values()].flat()),
  };
}

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

async function compute(plan: StudyPlan, ensemble: Ensemble, part: string, watch: PartWatch): Promise<Measured[]> {
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
  const { training } = plan;
  const teaching = { ...(await loadTeaching(ensemble, plan.outDir)), aggregation };
  if (aggregation !== "reliability-weighted") return teaching;
  return {
    ...teaching,
    reliability: await reliabilityOnCalibrate(plan, await evaluators(plan, ensemble), training.config.nClasses),
  };
}

function reliabilityOnCalibrate({ training, dataset }: StudyPlan, members: readonly NetEvaluator[], nClasses: number) {
  const recordings = recordingsOf(dataset, training.split.calibrate);
  const decisions = members.map((member) => member.decisions(recordings, training.image.hopPatches, training.classOf));
  return reliabilityOf(
    decisions.map(({ logits }) => logits.at(-1)!),
    decisions[0]!.labels,
    nClasses,
  );
}

/** The ensemble itself by each aggregation, on the select wearers: rows "ensemble by …". */
function ensembleRows(plan: StudyPlan, members: readonly NetEvaluator[]): Measured[] {
  const { nClasses } = plan.training.config;
  const recordings = recordingsOf(plan.dataset, plan.training.split.select);
  const trust = reliabilityOnCalibrate(plan, members, nClasses);
  const window = members.map((member) => member.windows(recordings));
  const stream = members.map((member) => member.stream(recordings));
  const said = (kind: Aggregation, all: readonly ScoredWindows[]): ScoredWindows => {
    const labels = aggregate(
      kind,
      all.map(({ logits }) => logits.at(-1)!),
      nClasses,
      trust,
    );
    return { ...all[0]!, logits: [labels.map((p) => Math.log(Math.max(p, 1e-12)))] };
  };
  return aggregations.map((kind) => ({
    row: `ensemble by ${kind}`,
    seed: 0,
    values: {
      window: accuracyOf(said(kind, window), 0),
      stream: accuracyOf(said(kind, stream), 0),
      eceStream: calibrationError(said(kind, stream), 1),
    },
  }));
}

function report(plan: StudyPlan, measured: readonly Measured[]): StudyReport {
  const share = (row: string, value: string): string => shareCell(measured, row, value);
  const members = [...new Set(measured.map(({ row }) => row))].filter((row) => row.startsWith("member "));
  const memberText = members.map((row) => `${row.slice(7)} ${share(row, "window")} and ${share(row, "stream")}`).join(", ");
  return {
    study: "distillation",
    title: "What a student learns best from",
    ...reportHead(plan),
    conclusion: rowsConclusion(rows, measured),
    columns: ["targets", "window", "stream", "ECE window", "ECE stream", "ECE stream, scaled", "ensemble window", "ensemble stream"],
    rows: rows.map((row) => [
      row,
      ...["window", "stream", "eceWindow", "eceStream", "eceStreamScaled"].map((value) => share(row, value)),
      ...["window", "stream"].map((value) => share(`ensemble by ${row}`, value)),
    ]),
    notes: [
      `Student accuracy at the last exit, int8 imitated by the evaluator. One recipe and the same seeds for all rows. Students of the ensemble see the same ${taughtBatches} batches of windows and of crops again and again; labels alone, new ones in every step.`,
      "ECE: expected calibration error in 15 bins, as trained; scaled: at the temperature that fits the calibrate wearers.",
      `Members (float teachers; window and stream of their int8 nets): ${memberText}. Reliability is measured on the calibrate wearers.`,
    ],
    measured,
    figure: {
      title: "Accuracy by target",
      caption: "Dots: mean over seeds at the last exit. Lines: one deviation to either side.",
      svg: rowFigure("Student accuracy by aggregation", rows, measured),
    },
  };
}
