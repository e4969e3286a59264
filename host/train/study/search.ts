import { createRandom } from "../../agent/random.ts";
import { ConfigError } from "../../core/errors.ts";
import { createNetEvaluator } from "../net-evaluator.ts";
import { oneSeed } from "./conclusion.ts";
import { type Candidate, paretoFront } from "./pareto.ts";
import { paretoFigure } from "./pareto-figure.ts";
import { costOf } from "./search-cost.ts";
import { childOf, randomShape, type Shape, shapeKey, shapeOf, shapeOfConfig, trainingOf } from "./search-space.ts";
import { accuracies, trainShort } from "./short-training.ts";
import { type Measured, type PartWatch, reportHead, type Study, type StudyPlan, type StudyReport } from "./study.ts";

/** Trials before the first generation: the agent's own shape, then random ones. */
const firstTrials = 12;
/** Trials of a generation: bred from the same front, so they can be computed at once. */
const generation = 4;
const triesForNew = 100;

/** Shapes of nets against what they cost: random ones, then children of those that none beats, each trained shortly. One seed, one result. */
export function searchStudy(plan: StudyPlan): Study {
  const own = shapeKey(shapeOfConfig(plan.training.config));
  const known = new Set(plan.trials > 0 ? [own] : []);
  return {
    name: "search",
    plan,
    size: () => plan.trials,
    next: (done) => nextTrials(plan, own, done),
    compute: (part, watch) => compute(plan, part, watch),
    report: (done) => report(plan, known, [...done.values()].flat()),
  };
}

/** Draws the whole search again up to the first trials without a result: so it goes on where it was stopped. */
function nextTrials({ seeds, trials }: StudyPlan, own: string, done: ReadonlyMap<string, readonly Measured[]>): string[] {
  const random = createRandom(seeds[0]!);
  const asked = [own];
  const add = (draw: () => Shape): void => {
    for (let tries = 0; tries < triesForNew; tries++) {
      const key = shapeKey(draw());
      if (asked.includes(key)) continue;
      asked.push(key);
      return;
    }
  };
  while (asked.length < firstTrials) add(() => randomShape(random));
  while (true) {
    const wanted = asked.slice(0, trials);
    const missing = wanted.filter((key) => !done.has(key));
    if (missing.length > 0 || asked.length >= trials) return missing;
    const before = asked.length;
    const front = paretoFront(candidatesOf(asked.flatMap((key) => done.get(key)!)));
    const parent = (): Shape => shapeOf(front[random.integer(front.length)]!.key);
    for (let i = 0; i < generation; i++) add(() => childOf(parent(), parent(), random));
    if (asked.length === before) return []; // nothing new is left to draw
  }
}

async function compute(plan: StudyPlan, part: string, watch: PartWatch): Promise<Measured[]> {
  const seed = plan.seeds[0]!;
  const training = trainingOf(plan.training, shapeOf(part));
  const own = { ...plan, training };
  const net = await trainShort(own, seed, watch);
  const values = { ...accuracies(own, createNetEvaluator(net, training.features, true)), ...costOf(training) };
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

function report(plan: StudyPlan, own: ReadonlySet<string>, measured: readonly Measured[]): StudyReport {
  const trials = candidatesOf(measured);
  if (trials.length === 0) throw new ConfigError("STUDY_EMPTY", "a search of no trials has nothing to show: give --trials 1 or more.");
  const front = paretoFront(trials);
  const others = trials.filter(({ key }) => own.has(key) && !front.some((one) => one.key === key));
  const count = (value: number): string => Math.round(value).toLocaleString("en");
  return {
    study: "search",
    title: "Which shape of net",
    ...reportHead(plan),
    conclusion: conclusionOf(front, own, trials),
    columns: ["shape", "window", "stream", "mean", "MACs a window", "instructions, est.", "arena B", "image B", "parameters"],
    rows: [...front, ...others].map(({ key, accuracy, values }) => [
      `${key}${own.has(key) ? " (shipped)" : ""}${others.some((one) => one.key === key) ? ", not on the front" : ""}`,
      ...[values.window!, values.stream!, accuracy].map((share) => `${(100 * share).toFixed(2)} %`),
      ...[values.macs!, values.instructions!, values.arenaBytes!, values.imageBytes!, values.parameters!].map(count),
    ]),
    notes: [
      `${trials.length} trials of one seed: ${Math.min(firstTrials, trials.length)} first (the shipped shape, then random ones), then ${generation} children at a time of the front. Front: none is as accurate at no more instructions and arena. One short training spreads by a point or two, so neighbours on the front may change places.`,
      "Shape: d = dModel, S = ssm and A = attention blocks, n = dState, p = frames a patch, x = dInner / dModel. Patches of 2 frames are left out: the longest recordings would pass the evaluator's longest sequence.",
      "Accuracy at the last exit, int8 imitated by the evaluator. Instructions: a window on a Cortex-M4, estimated: 2.8 a MAC, 31 a requantisation, 17 a scan state besides its MACs, 6 a look-up and 6 a normed value. Arena: what the core's prepare asks for, rings and context included.",
    ],
    measured,
    figure: {
      title: "Accuracy against instructions",
      caption: "A disc a shape, its area the arena's bytes; amber: the front; ringed: the shipped shape.",
      svg: paretoFigure(trials, front, own),
    },
  };
}

function conclusionOf(front: readonly Trial[], own: ReadonlySet<string>, trials: readonly Trial[]): string {
  const text = ({ key, accuracy, instructions }: Trial): string =>
    `${key}, ${(100 * accuracy).toFixed(2)} % at ${(instructions / 1e6).toFixed(2)} M instructions`;
  const best = front.reduce((most, one) => (one.accuracy > most.accuracy ? one : most));
  const shipped = trials.find(({ key }) => own.has(key));
  const beaten = shipped && !front.includes(shipped) ? "not on the front" : "on the front";
  const ofShipped = shipped === undefined || shipped === best ? "" : ` The shipped shape is ${beaten}: ${text(shipped)}.`;
  return `Most accurate: ${text(best)}${shipped === best ? ", the shipped shape" : ""}.${ofShipped} ${oneSeed}`;
}
