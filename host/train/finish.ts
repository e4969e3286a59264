import { EXIT_NEVER } from "../../assembly/layout.ts";
import { readImage } from "../core/image/image-read.ts";
import type { ExitCalibration, Plausibility } from "../core/image/image-types.ts";
import { writeImage } from "../core/image/image-write.ts";
import { areImuChannels } from "../core/image/imu-channels.ts";
import { windowOps } from "../core/image/op-count.ts";
import { Model } from "../core/session/model.ts";
import { type Dataset, type Recording, selectRecordings } from "../data/recording.ts";
import { writePrior } from "../personalize/prior.ts";
import { type CalibratedExit, calibrateExits, streamGroup, windowGroup } from "../policy/certify/calibrate-exits.ts";
import { exitDecisions } from "../policy/certify/exit-decisions.ts";
import { leastAnswered, notCertified } from "../policy/certify/learn-then-test.ts";
import { fitTemperature } from "../policy/certify/temperature.ts";
import { type Comparison, compareWithBaselines } from "./comparison.ts";
import { exportNet } from "./export.ts";
import { countLdaParameters, fitLda, type LdaRecipe, readStatistics } from "./fit-lda.ts";
import { fitPlausibility, measureBlocks, type WearerBlocks } from "./fit-plausibility.ts";
import type { Parameters } from "./layers.ts";
import { fitLdaShare } from "./lda-share.ts";
import { type CertificationMetrics, type HeldOutMetrics, heldOutMetrics } from "./metrics.ts";
import { parameterCount } from "./net-config.ts";
import { computeAccuracy, createNetEvaluator, type NetEvaluator, type ScoredWindows } from "./net-evaluator.ts";
import { weighNet } from "./net-share.ts";
import { chooseOpenThresholds } from "./open-thresholds.ts";
import { weighSmoothing } from "./smoothing-weight.ts";
import type { TrainedNet } from "./train-net.ts";
import { type AgentTraining, assignRoles, type Phase } from "./training.ts";

/** A trained net, calibrated and exported. */
export interface FinishedAgent {
  readonly image: Uint8Array;
  readonly prior: Uint8Array | undefined; // lda-prior.safetensors, if the image's LDA head knows every class
  readonly weights: Parameters; // of the net, as the image has them in integers
  readonly parameters: number; // trained numbers in the image
  readonly exits: readonly CalibratedExit[];
  readonly certification: CertificationMetrics | undefined; // none of a teacher
  readonly heldOut: HeldOutMetrics;
  readonly comparison: Comparison | undefined; // of an agent of one's own
}

/** Calibrates a trained net on the calibrate wearers, scores it on the phase's held-out ones, and writes its image. */
export function finishAgent(given: AgentTraining, dataset: Dataset, seed: number, phase: Phase, trained: TrainedNet): FinishedAgent {
  const { split, config } = given;
  const { train, heldOut: others } = assignRoles(split, phase);
  const fitted = given.lda && fitHead(given, given.lda, dataset, train);
  const lda = fitted?.lda;
  const calibrating = selectRecordings(dataset, split.calibrate);
  const net = lda && given.lda?.share === "fitting" ? weighNet(trained, lda, given.features, calibrating) : trained;
  const evaluator = createNetEvaluator(net, given.features, true, lda);
  const training = given.lda?.share === "fitting" ? withSmoothing(given, evaluator, calibrating) : given;
  const heldOut = selectRecordings(dataset, others);
  const window = evaluator.windows(heldOut);
  const stream = evaluator.stream(heldOut, training.image.smoothing);
  const { exits: certified, windows, certification: tested, gateProbabilityQ15 } = calibrate(training, dataset, evaluator);
  const isOwn = tested !== undefined && training.manifest.windows !== undefined; // an agent of one's own
  const isOpen = isOwn && certified.every(({ thresholdQ15 }) => thresholdQ15 === EXIT_NEVER);
  const guarantee = isOpen ? undefined : training.guarantee;
  const parameters = parameterCount(config) + (lda ? countLdaParameters(lda) : 0);
  const { smoothing, ...timing } = training.image;
  const plausibility = training.guarantee && fitRules(training, dataset); // a teacher sees no stream
  const write = (exits: readonly CalibratedExit[]): Uint8Array =>
    writeImage(
      exportNet(net, {
        ...timing,
        ...(lda && { lda }),
        ...(training.guarantee && smoothing && { smoothing }), // a teacher answers one context at a time
        ...(plausibility && { plausibility }),
        features: training.features,
        exits: exits.map(({ temperature, smoothedTemperature, thresholdQ15 }) => ({
          temperature,
          ...(smoothedTemperature && { smoothedTemperature }),
          threshold: thresholdQ15,
        })),
        manifest: {
          name: training.name,
          ...training.manifest,
          provenance: { ...training.manifest.provenance, seed },
          protocol: split,
          parameters,
          metrics: manifestMetrics(phase === "select" ? "select" : "calibrate", window, stream),
          calibration: exits.map(
            ({ temperature, smoothedTemperature, thresholdQ15, coverage, errorBound }): ExitCalibration => ({
              temperature,
              ...(smoothedTemperature && { trackedTemperature: smoothedTemperature }),
              threshold: thresholdQ15 / 32768,
              coverage,
              errorBound,
            }),
          ),
          ...(guarantee ? { guarantee: { alpha: guarantee.alpha, delta: guarantee.delta, windows, wearers: split.calibrate.length } } : {}),
        },
      }),
    );
  const closed = write(certified);
  const open = isOpen ? chooseOpenThresholds(Model.load(closed), calibrating, gateProbabilityQ15) : undefined;
  const exits = open
    ? certified.map((exit, k) => ({ ...exit, thresholdQ15: open.thresholdsQ15[k]!, coverage: open.coverage[k]! }))
    : certified;
  const image = open ? write(exits) : closed;
  const certification = tested && { ...tested, ...(open && { open }) };
  const read = readImage(image);
  const temperatures = exits.map(({ temperature, smoothedTemperature = temperature }) => ({
    alone: temperature,
    smoothed: smoothedTemperature,
  }));
  const macs = exits.map((_, k) => windowOps(read, k).macs);
  const prior = fitted?.prior && writePrior(fitted.prior, fitted.lda);
  const comparison = isOwn ? compareWithBaselines(Model.load(image), dataset, { train, scored: others }) : undefined;
  return {
    image,
    prior,
    weights: net.parameters,
    parameters,
    exits,
    certification,
    heldOut: heldOutMetrics(window, stream, temperatures, macs),
    comparison,
  };
}

/** The training with a smoothing that suits the wearers who calibrate; of a teacher as it is, which sees no stream. */
function withSmoothing(training: AgentTraining, evaluator: NetEvaluator, recordings: readonly Recording[]): AgentTraining {
  const { smoothing } = training.image;
  if (smoothing === undefined || training.guarantee === undefined) return training;
  return {
    ...training,
    image: { ...training.image, smoothing: weighSmoothing(smoothing, evaluator, recordings, training.config.exits.length - 1) },
  };
}

/** The LDA head of a phase's wearers. */
function fitHead({ features, classOf, config }: AgentTraining, recipe: LdaRecipe, dataset: Dataset, train: readonly string[]) {
  const recordings = selectRecordings(dataset, train);
  const { share } = recipe;
  if (share !== "fitting") return fitLda(recordings, features, classOf, config.nClasses, { ...recipe, share });
  const own = fitLdaShare(readStatistics(recordings, features, classOf, recipe.rotationRadians), recipe);
  const offsets = recipe.offsets.map((offset) => own * offset);
  return fitLda(recordings, features, classOf, config.nClasses, { ...recipe, share: own, offsets });
}

/** Rules of the plausibility monitor, of an IMU alone: fitted on the fit wearers, quiet on those who select and calibrate. */
export function fitRules(
  { manifest: { channels }, config, split }: Pick<AgentTraining, "manifest" | "config" | "split">,
  dataset: Dataset,
): Plausibility | undefined {
  if (!areImuChannels(channels)) return undefined;
  const measure = (subjects: readonly string[]): WearerBlocks[] =>
    subjects.map((subject) => measureBlocks(selectRecordings(dataset, [subject]), config.patchFrames));
  return fitPlausibility(measure(split.fit), measure([...split.select, ...split.calibrate]), channels[0]!.countsPerUnit);
}

/** Certified thresholds on windows and on streaming decisions; for a teacher temperatures alone, at the end of whole contexts. */
function calibrate(training: AgentTraining, dataset: Dataset, evaluator: NetEvaluator) {
  const { guarantee, image, classOf, config, split } = training;
  const recordings = selectRecordings(dataset, split.calibrate);
  if (!guarantee) {
    const contexts = evaluator.contexts(recordings, image.contextPatches);
    const exits = config.exits.map((_, k): CalibratedExit => ({ temperature: fitTemperature([contexts], k), ...notCertified }));
    return { exits, windows: contexts.labels.length, certification: undefined, gateProbabilityQ15: new Float64Array() };
  }
  const hops = evaluator.hops(recordings, image.hopPatches, classOf);
  const groups = [windowGroup(evaluator.windows(recordings)), streamGroup(hops, { ...image, nClasses: config.nClasses })];
  const [windows, hopsScored] = groups.map(({ labelled }) => labelled.labels.length) as [number, number];
  const least = leastAnswered(guarantee, config.exits.length);
  const certification = { wearers: split.calibrate.length, windows, hops: hopsScored, leastAnswered: least };
  const exits = calibrateExits(groups, guarantee);
  const temperatures = exits.map(({ temperature, smoothedTemperature = temperature }) => ({
    alone: temperature,
    smoothed: smoothedTemperature,
  }));
  const { gateProbabilityQ15 } = exitDecisions(groups[1]!.labelled, temperatures);
  return { exits, windows: windows + hopsScored, certification, gateProbabilityQ15: gateProbabilityQ15.at(-1)! };
}

function manifestMetrics(group: string, window: ScoredWindows, stream: ScoredWindows): Record<string, number> {
  const metrics: Record<string, number> = {};
  window.logits.forEach((_, k) => {
    metrics[`${group}WindowAccuracyExit${k}`] = Number(computeAccuracy(window, k).toFixed(4));
    metrics[`${group}StreamAccuracyExit${k}`] = Number(computeAccuracy(stream, k).toFixed(4));
  });
  return metrics;
}
