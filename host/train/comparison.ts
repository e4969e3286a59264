import type { Feature } from "../core/image/image-types.ts";
import type { Model } from "../core/session/model.ts";
import { type Dataset, type Recording, scoredWindows, selectRecordings } from "../data/recording.ts";
import { fullDepth, streamMoments } from "../eval/protocols.ts";
import { type EventScore, rareClasses, scoreEvents, shownDecisions } from "../eval/score-events.ts";
import { largest } from "../policy/certify/softmax.ts";
import { type Baseline, fitBaseline } from "./baseline.ts";
import type { FeatureConfig } from "./batches.ts";

/** How right something is on windows. */
export interface WindowFigures {
  readonly accuracy: number;
  readonly macroF1: number; // over the labels that are there
}

/** An agent beside simple methods on the same windows: whole recordings, state carried, its last exit smoothed as on the device. */
export interface Comparison {
  readonly windows: number;
  readonly majority: WindowFigures & { readonly label: string };
  readonly baseline: WindowFigures; // a linear discriminant of window statistics, fitted to the training wearers
  readonly agent: WindowFigures;
  readonly byClass: readonly {
    readonly label: string;
    readonly learned: number; // windows that the agent learned from
    readonly windows: number;
    readonly agent: number | null; // recall; null: no window
    readonly baseline: number | null;
    readonly mistakenFor: string | null; // what the agent says most often of those that it gets wrong
  }[];
  readonly bySubject: readonly { readonly subject: string; readonly windows: number; readonly agent: number; readonly baseline: number }[];
  /** Of labels with less than a tenth of the labelled time; the agent as it decides by itself with early exits. */
  readonly events: readonly { readonly agent: EventScore; readonly baseline: EventScore }[];
}

/** Scores a model and the baselines on some wearers of a data set. */
export function compareWithBaselines(
  model: Model,
  dataset: Dataset,
  subjects: { readonly train: readonly string[]; readonly scored: readonly string[] },
): Comparison {
  const { image, manifest } = model;
  const { labels } = manifest;
  const train = selectRecordings(dataset, subjects.train);
  const scored = selectRecordings(dataset, subjects.scored);
  const features = readFeatures(image.features);
  const baseline = fitBaseline(train, features, (label) => label - 1, labels.length);
  const truths: { readonly truth: number; readonly subject: string; readonly agent: number; readonly baseline: number }[] = [];
  const windowFrames = image.windowPatches * image.patchFrames;
  for (const { recording, frame, label, scores } of streamMoments(fullDepth(model.createSession()), image, scored))
    truths.push({
      ...{ truth: label, subject: recording.subject, agent: largest(scores.at(-1)!) },
      baseline: baseline.classify(recording, Math.max(0, frame + 1 - windowFrames)),
    });
  const learned = labels.map((_, c) =>
    train.reduce((sum, one) => sum + scoredWindows(one).filter(({ label }) => label === c + 1).length, 0),
  );
  const majority = truths.map(({ truth }) => ({ truth, said: baseline.majorityClass }));
  return {
    windows: truths.length,
    majority: { label: labels[baseline.majorityClass]!, ...figures(majority, labels.length) },
    baseline: figures(
      truths.map(({ truth, baseline: said }) => ({ truth, said })),
      labels.length,
    ),
    agent: figures(
      truths.map(({ truth, agent: said }) => ({ truth, said })),
      labels.length,
    ),
    byClass: labels.map((label, c) => {
      const own = truths.filter(({ truth }) => truth === c);
      const counts = labels.map((_, said) => own.filter(({ agent }) => agent === said && said !== c).length);
      const most = Math.max(...counts);
      return {
        ...{ label, learned: learned[c]!, windows: own.length },
        agent: own.length === 0 ? null : own.filter(({ agent }) => agent === c).length / own.length,
        baseline: own.length === 0 ? null : own.filter((one) => one.baseline === c).length / own.length,
        mistakenFor: most > 0 ? labels[counts.indexOf(most)]! : null,
      };
    }),
    bySubject: [...new Set(truths.map(({ subject }) => subject))].map((subject) => {
      const own = truths.filter((one) => one.subject === subject);
      const right = (said: (one: (typeof own)[number]) => number): number =>
        own.filter((one) => said(one) === one.truth).length / own.length;
      return { subject, windows: own.length, agent: right(({ agent }) => agent), baseline: right((one) => one.baseline) };
    }),
    events: compareEvents(model, baseline, dataset.recordings, scored),
  };
}

function compareEvents(model: Model, baseline: Baseline, all: readonly Recording[], scored: readonly Recording[]): Comparison["events"] {
  const { image, manifest } = model;
  const rare = rareClasses(all, manifest.labels.length);
  if (rare.length === 0) return [];
  const score = (decisions: Parameters<typeof scoreEvents>[0]): EventScore[] =>
    scoreEvents(decisions, rare, manifest.labels, manifest.frameRateHz);
  const agent = score(shownDecisions(model, scored));
  const hopFrames = image.hopPatches * image.patchFrames;
  const simple = score(new Map(scored.map((recording) => [recording, baseline.watch(recording, hopFrames)])));
  return agent.map((own, i) => ({ agent: own, baseline: simple[i]! }));
}

function figures(answers: readonly { readonly truth: number; readonly said: number }[], nClasses: number): WindowFigures {
  const right = answers.filter(({ truth, said }) => truth === said).length;
  const f1 = Array.from({ length: nClasses }, (_, c) => {
    const hits = answers.filter(({ truth, said }) => truth === c && said === c).length;
    const either = answers.filter(({ truth }) => truth === c).length + answers.filter(({ said }) => said === c).length;
    return answers.some(({ truth }) => truth === c) ? (2 * hits) / either : undefined;
  }).filter((value) => value !== undefined);
  return {
    accuracy: right / Math.max(1, answers.length),
    macroF1: f1.reduce((sum, value) => sum + value, 0) / Math.max(1, f1.length),
  };
}

/** An image's features as training has them. */
function readFeatures(features: readonly Feature[]): FeatureConfig {
  return {
    stepCounts: features.map(({ multiplier, shift }) => 1 / (multiplier * 2 ** (shift - 31))),
    zeroPointCounts: features.map(({ zeroPoint }) => zeroPoint),
    kneeSteps: features.map(({ knee }) => knee),
  };
}
