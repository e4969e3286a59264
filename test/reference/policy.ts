import * as layout from "../../assembly/layout.ts";
import { argmaxLabel, computeConfidence, computeGateProbability, exitLogits } from "../../host/core/arithmetic/exit-head.ts";
import { addLda } from "../../host/core/arithmetic/lda.ts";
import type { PlausibilityMonitor } from "../../host/core/arithmetic/plausibility.ts";
import { LabelSmoother } from "../../host/core/arithmetic/smoothing.ts";
import type { ModelImage } from "../../host/core/image/image-types.ts";
import { countLdaOps } from "../../host/core/image/op-count.ts";
import type { Decision, DecisionWhy, SetPoint } from "../../host/core/session/session-types.ts";
import { statusError } from "../../host/core/session/status.ts";
import type { Tail } from "../../host/core/session/tail.ts";
import type { Stack } from "./stack.ts";

/** What is in force until a set-point is given: every exit, the image's hop, certified thresholds only. */
export function defaultSetPoint(image: ModelImage): SetPoint {
  return {
    maxExit: image.exits.length - 1,
    hopPatches: image.hopPatches,
    askAllowed: true,
    limitReason: "none",
    askIntervalHops: 1,
    thresholds: [],
  };
}

/** Throws BAD_SET_POINT unless every number is in range. Thresholds that are left out are 0. */
export function checkSetPoint(image: ModelImage, setPoint: SetPoint): void {
  const isWithin = (value: number, least: number, most: number): boolean => Number.isInteger(value) && value >= least && value <= most;
  const isValid =
    isWithin(setPoint.maxExit, 0, image.exits.length - 1) &&
    isWithin(setPoint.hopPatches, 1, layout.LIMIT_PATCHES) &&
    isWithin(setPoint.askIntervalHops, 1, layout.HOPS_SINCE_ASK_MAX) &&
    ["none", "budget", "thermal"].includes(setPoint.limitReason) &&
    setPoint.thresholds.length <= layout.LIMIT_EXITS &&
    setPoint.thresholds.every((threshold) => isWithin(threshold, 0, layout.EXIT_NEVER));
  if (!isValid) throw statusError(layout.STATUS_BAD_SET_POINT, "set-point", JSON.stringify(setPoint));
}

/** Decides now: the first exit that is sure enough, else ask or defer. Core: assembly/policy.ts. */
export function decide(image: ModelImage, tail: Tail, stack: Stack, setPoint: SetPoint, monitor?: PlausibilityMonitor): Decision {
  const { words } = tail;
  const faults = monitor?.faults ?? 0;
  let why: DecisionWhy | undefined;
  let rebuilds = 0;
  let answer = { label: 0, exit: 0, confidenceQ15: 0 };
  const smoothing = new LabelSmoother(image, tail.pathScores, words[layout.TAIL_IS_SMOOTHED] === 1);
  let logits: Int16Array = new Int16Array();
  const lda = stack.lda();
  if (lda) words[layout.TAIL_MACS]! += countLdaOps(image).macs;
  for (let k = 0; k <= setPoint.maxExit && why === undefined; k++) {
    if (k > 0 && stack.catchUp(k)) rebuilds += 1;
    const exit = image.exits[k]!;
    logits = addLda(exitLogits(exit, stack.residualAt(k)), lda);
    words[layout.TAIL_MACS]! += exit.head.nIn * exit.head.nOut;
    const scores = smoothing.scores(logits);
    const label = argmaxLabel(scores);
    const weighed = smoothing.isSmoothed ? scores : undefined;
    answer = { label, exit: k, confidenceQ15: computeConfidence(exit, label, logits, weighed) };
    if (faults === 0 && computeGateProbability(exit, label, logits, weighed) >= Math.max(setPoint.thresholds[k] ?? 0, exit.threshold))
      why = "exit";
  }
  smoothing.keep(logits, words[layout.TAIL_PATCHES_SINCE_DECISION]!);
  words[layout.TAIL_IS_SMOOTHED] = Number(smoothing.isSmoothed);
  const hops = Math.min(words[layout.TAIL_HOPS_SINCE_ASK]! + 1, layout.HOPS_SINCE_ASK_MAX);
  why ??= whyNot(image, faults === 0 ? setPoint : { ...setPoint, askAllowed: false }, hops);
  const decision: Decision = {
    ...answer,
    why,
    tick: words[layout.TAIL_LAST_TICK]!,
    patch: words[layout.TAIL_PATCHES]!,
    macs: words[layout.TAIL_MACS]!,
    rebuilds,
    steps: words[layout.TAIL_STEPS]!,
    ...(faults !== 0 && { sensorFaults: faults }),
  };
  words[layout.TAIL_HOPS_SINCE_ASK] = why === "ask" ? 0 : hops;
  words[layout.TAIL_MACS] = 0;
  words[layout.TAIL_STEPS] = 0;
  words[layout.TAIL_PATCHES_SINCE_DECISION] = 0;
  return decision;
}

/** No exit was sure: what then. `hops` decisions since the last ask, this one counted. */
function whyNot(image: ModelImage, setPoint: SetPoint, hops: number): DecisionWhy {
  if (setPoint.askAllowed && hops >= setPoint.askIntervalHops) return "ask";
  if (setPoint.limitReason !== "none" && setPoint.maxExit < image.exits.length - 1) return setPoint.limitReason;
  return "deferred";
}
