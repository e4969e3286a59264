import { ConfigError } from "../../core/system/errors.ts";
import { createRandom } from "../../core/system/random.ts";
import { createNetEvaluator } from "../net-evaluator.ts";
import type { AgentTraining } from "../training.ts";
import { type Candidate, paretoFigure, paretoFront } from "./pareto.ts";
import { computeShapeCost } from "./search-cost.ts";
import { createTraining, crossShapes, parseShape, randomShape, type Shape, shapeKey, shapeOfConfig } from "./search-space.ts";
import { accuracies, trainShort } from "./short-training.ts";
import type { Measured, PartWatch, Results, StudyPlan, StudySpec, StudyTable } from "./study.ts";
import { oneSeed } from "./table-rows.ts";

/** Trials before the first generation: the agent's own shape, then random ones. */
const firstTrials = 12;
/** Trials of a generation: bred from the same front, so they can be computed at once. */
const generation = 4;
const triesForNew = 100;

/** Shapes of nets against what they cost: random ones, then children of those that none beats, each trained shortly. One seed, one result. */
export const search: StudySpec = {
  title: "Which shape of net",
  size: ({ trials }) => trials,
  rounds,
  compute,
  report,
};

/** Draws the same shapes each time, given the same results: so a search goes on where it was stopped. */
function* rounds({ training, seeds, trials }: StudyPlan, done: Results): Generator<readonly string[]> {
  const random = createRandom(seeds[0]!);
  const asked = [shippedKey(training)];
  const add = (draw: () => Shape): void => {
    for (let tries = 0; tries < triesForNew; tries++) {
      const key = shapeKey(draw());
      if (asked.includes(key)) continue;
      asked.push(key);
      return;
    }
  };
  while (asked.length < firstTrials) add(() => randomShape(random));
  for (let from = 0; from < Math.min(asked.length, trials); ) {
    yield asked.slice(from, trials);
    from = asked.length;
    if (from >= trials) return;
    const front = paretoFront(candidatesOf(asked.flatMap((key) => done.get(key)!)));
    const parent = (): Shape => parseShape(front[random.integer(front.length)]!.key);
    for (let i = 0; i < generation; i++) add(() => crossShapes(parent(), parent(), random));
  }
}

async function compute(plan: StudyPlan, part: string, watch: PartWatch): Promise<Measured[]> {
  const seed = plan.seeds[0]!;
  const training = createTraining(plan.training, parseShape(part));
  const own = { ...plan, training };
  const net = await trainShort(own, seed, watch);
  const values = { ...accuracies(own, createNetEvaluator(net, training.features, true)), ...computeShapeCost(training) };
  return [{ row: part, seed, values }];
}

interface Trial extends Candidate {
  readonly values: Measured["values"];
}

/** A trial's accuracy is the mean of both protocols'. */
function candidatesOf(measured: readonly Measured[]): Trial[] {
  return measured.map(({ row, values }) => ({
    key: row,
    accuracy: (values.window! + values.stream!) / 2,
    instructions: values.instructions!,
    arenaBytes: values.arenaBytes!,
    values,
  }));
}

function report({ training }: StudyPlan, measured: readonly Measured[]): StudyTable {
  const trials = candidatesOf(measured);
  if (trials.length === 0) throw new ConfigError("STUDY_EMPTY", "a search of no trials has nothing to show: give --trials 1 or more.");
  const front = paretoFront(trials);
  const shipped = trials.find(({ key }) => key === shippedKey(training));
  const isBeaten = shipped !== undefined && !front.includes(shipped);
  const count = (value: number): string => Math.round(value).toLocaleString("en");
  return {
    conclusion: conclusionOf(front, shipped, isBeaten),
    columns: ["shape", "window", "stream", "mean", "MACs per window", "instructions, est.", "arena B", "image B", "parameters"],
    rows: [...front, ...(isBeaten ? [shipped] : [])].map((trial) => [
      `${trial.key}${trial === shipped ? " (shipped)" : ""}${trial === shipped && isBeaten ? ", not on the front" : ""}`,
      ...[trial.values.window!, trial.values.stream!, trial.accuracy].map((share) => `${(100 * share).toFixed(2)} %`),
      ...["macs", "instructions", "arenaBytes", "imageBytes", "parameters"].map((name) => count(trial.values[name]!)),
    ]),
    notes: [
      `${trials.length} trials of one seed: ${Math.min(firstTrials, trials.length)} first (the shipped shape, then random ones), then ${generation} children at a time of the front. Front: none is as accurate at no more instructions and arena. One short training spreads by a point or two, so neighbours on the front may change places.`,
      "Shape: d = dModel, S = ssm and A = attention blocks, n = dState, p = frames a patch, x = dInner / dModel. Patches of 2 frames are left out: the longest recordings would pass the evaluator's longest sequence.",
      "Accuracy at the last exit, int8 imitated by the evaluator. Instructions: a window on a Cortex-M4, estimated: 2.8 a MAC, 31 a requantisation, 17 a scan state besides its MACs, 6 a look-up and 6 a normed value. Arena: what the core's prepare asks for, rings and context included.",
    ],
    figure: {
      title: "Accuracy against instructions",
      caption: "One disc per shape; its area is the arena's bytes. Amber: the Pareto front. Ringed: the shipped shape.",
      svg: paretoFigure(trials, front, new Set([shippedKey(training)])),
    },
  };
}

function conclusionOf(front: readonly Trial[], shipped: Trial | undefined, isBeaten: boolean): string {
  const text = ({ key, accuracy, instructions }: Trial): string =>
    `${key}, ${(100 * accuracy).toFixed(2)} % at ${(instructions / 1e6).toFixed(2)} M instructions`;
  const best = front.reduce((most, one) => (one.accuracy > most.accuracy ? one : most));
  if (shipped === best) return `Most accurate: ${text(best)}, the shipped shape. ${oneSeed}`;
  const ofShipped = shipped && ` The shipped shape is ${isBeaten ? "not on" : "on"} the front: ${text(shipped)}.`;
  return `Most accurate: ${text(best)}.${ofShipped ?? ""} ${oneSeed}`;
}

function shippedKey({ config }: AgentTraining): string {
  return shapeKey(shapeOfConfig(config));
}
