import { EXIT_NEVER } from "../../assembly/layout.ts";
import type { Model } from "../core/session/model.ts";
import { isScored, type Recording } from "../data/recording.ts";
import { lowerMeanBound } from "../policy/certify/mean-bound.ts";
import { decisionRule, type HopLogits, Replay } from "../policy/certify/replay.ts";
import type { CostTable, DepthRow } from "../policy/govern/expected-cost.ts";
import { isCloudSurer } from "../policy/govern/word.ts";
import { createOpsMeter } from "../power/ops-meter.ts";
import type { SimulatedCloud } from "./cloud.ts";

/** Results of tuning. */
export interface Tuning {
  readonly table: CostTable;
  /** The cloud's mean disagreement with each of the device's labels, of the wearer with whom it disagrees most; 1 if no wearer has enough answers. */
  readonly usualDisagreement: readonly number[];
  readonly decisions: number;
}

/** One ask per this many decisions, sure or not, as audits would draw them. */
const AUDIT_EVERY = 3;
/** Least answers about a label for a wearer's mean disagreement. */
const LEAST_ANSWERS = 20;

interface Hop extends HopLogits {
  readonly patch: number;
}

/**
 * Outcome statistics on wearers that the image was not trained on: whole recordings, hop by hop, for every deepest exit, sure and unsure,
 * at the certified thresholds; and the cloud's answers about them.
 */
export async function tunePolicy(
  model: Model,
  recordings: readonly Recording[],
  agent: string,
  cloud: SimulatedCloud,
  onRecording?: (done: number, total: number) => void,
): Promise<Tuning> {
  const { image, imageHash } = model;
  const { exits } = image;
  const { labels } = image.manifest;
  const asked = { decisions: 0, wrongBefore: 0, wrongAfter: 0 };
  const gains = new Map<string, Mean>(); // of asking, by wearer
  const losses = [exits.map(() => new Map<string, Mean>()), exits.map(() => new Map<string, Mean>())] as const; // of a shallower exit: by state, exit, wearer
  const disagreements = labels.map(() => new Map<string, { sum: number; weight: number; answers: number }>()); // by label, by wearer
  const tally = [exits.map(freshTally), exits.map(freshTally)] as const; // by state: 0 sure, 1 unsure
  const certified = exits.map(({ threshold }) => threshold);
  const device = new Replay(decisionRule(image));
  let decisions = 0;
  for (const [r, recording] of recordings.entries()) {
    onRecording?.(r, recordings.length);
    device.reset();
    const session = model.createSession();
    session.setPoint({
      ...{ maxExit: exits.length - 1, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds: exits.map(() => EXIT_NEVER),
    });
    const hops: Hop[] = [];
    for (let i = 0; i < recording.labels.length; i++) {
      const frame = recording.frames.subarray(i * recording.channels, (i + 1) * recording.channels);
      const { decision } = session.pushFrame(frame, i + 1);
      if (decision === undefined) continue;
      const logits = session.logits();
      const truth = classOf(recording, i, labels);
      hops.push({ truth, patch: decision.patch, logits });
      const stop = device.decide(logits, certified);
      if (truth < 0) continue;
      decisions++;
      if (stop.isSure && decisions % AUDIT_EVERY !== 0) continue;
      const word = await cloud.answer({
        ...{
          id: "0".repeat(32),
          node: "tune",
          agent,
          imageHash,
          labels,
          tick: i,
          patches: session.context(),
          windowPatches: image.windowPatches,
        },
        ...{
          patchBytes: image.channels * image.patchFrames,
          local: { label: stop.label, confidenceQ15: Math.round(stop.confidenceQ15), exit: stop.exit },
          deadlineAtMillis: Number.MAX_SAFE_INTEGER,
        },
      });
      const ofLabel = disagreements[stop.label]!;
      const own = ofLabel.get(recording.subject) ?? { sum: 0, weight: 0, answers: 0 };
      const weight = stop.isSure ? AUDIT_EVERY : 1; // weights each kind by its frequency
      own.sum += weight * (word.label === stop.label ? 1 - word.confidence : word.confidence);
      own.weight += weight;
      own.answers++;
      ofLabel.set(recording.subject, own);
      if (stop.isSure) continue;
      asked.decisions++;
      const label = isCloudSurer(word.confidence, stop.confidenceQ15) ? word.label : stop.label;
      const [before, after] = [stop.label !== truth ? 1 : 0, label !== truth ? 1 : 0];
      asked.wrongBefore += before;
      asked.wrongAfter += after;
      add(gains, recording.subject, before - after);
    }
    const deepest = count(hops, exits.length - 1, undefined, recording.subject);
    for (let maxExit = 0; maxExit < exits.length - 1; maxExit++) count(hops, maxExit, deepest, recording.subject);
  }
  const rows = (state: 0 | 1): DepthRow[] =>
    tally[state].map((own, k) => ({ ...rowOf(own), mostLoss: k === exits.length - 1 ? 0 : -lowerBound(losses[state][k]!, -1) }));
  const usualDisagreement = disagreements.map((ofLabel) => {
    const means = [...ofLabel.values()].filter(({ answers }) => answers >= LEAST_ANSWERS).map(({ sum, weight }) => sum / weight);
    return means.length === 0 ? 1 : Math.max(...means);
  });
  const leastGain = lowerBound(gains);
  return { table: { sure: rows(0), unsure: rows(1), asked: { ...asked, leastGain } }, usualDisagreement, decisions };

  /** Counts a recording's decisions that stop at `maxExit` at the latest; returns whether each was wrong. `deepest`: the same of the last exit. */
  function count(hops: readonly Hop[], maxExit: number, deepest: readonly boolean[] | undefined, subject: string): boolean[] {
    const meter = createOpsMeter(image);
    let isUnsure = false;
    device.reset();
    return hops.map(({ truth, patch, logits }, i) => {
      const { isSure, exit, label } = device.decide(logits, certified, maxExit);
      const { macs } = meter.read({ exit, patch });
      const own = tally[isUnsure ? 1 : 0][maxExit]!;
      own.macs += macs;
      own.hops++;
      const isWrong = label !== truth;
      if (truth >= 0) {
        own.n++;
        if (!isSure) own.unsure++;
        if (isWrong) own.wrong++;
        if (isWrong && !isSure) own.wrongUnsure++;
        if (deepest !== undefined) add(losses[isUnsure ? 1 : 0][maxExit]!, subject, Number(isWrong) - Number(deepest[i]!));
      }
      isUnsure = !isSure;
      return isWrong;
    });
  }
}

/** A mean of what was added, by wearer. */
interface Mean {
  sum: number;
  count: number;
}

function add(means: Map<string, Mean>, wearer: string, value: number): void {
  const own = means.get(wearer) ?? { sum: 0, count: 0 };
  means.set(wearer, { sum: own.sum + value, count: own.count + 1 });
}

/** Lower bound over wearers of the mean of `sign` times what was added. */
function lowerBound(means: ReadonlyMap<string, Mean>, sign = 1): number {
  return lowerMeanBound([...means.values()].map(({ sum, count }) => (sign * sum) / count));
}

function freshTally() {
  return { n: 0, hops: 0, unsure: 0, wrong: 0, wrongUnsure: 0, macs: 0 };
}

function rowOf({ n, hops, unsure, wrong, wrongUnsure, macs }: ReturnType<typeof freshTally>): Omit<DepthRow, "mostLoss"> {
  const share = (of: number, all: number): number => (all === 0 ? 0 : of / all);
  return { unsure: share(unsure, n), wrong: share(wrong, n), wrongUnsure: share(wrongUnsure, unsure), macs: share(macs, hops) };
}

function classOf(recording: Recording, i: number, labels: readonly string[]): number {
  const label = recording.labels[i]!;
  return label === 0 ? -1 : isScored(recording, label) ? label - 1 : labels.indexOf("transition");
}
