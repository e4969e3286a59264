import type { Model } from "../../core/model.ts";
import { accuracyAskingLowest, type CascadeScore } from "../../policy/cascade.ts";
import { areaUnderRoc, fitGate } from "../../policy/gate.ts";
import { ASKED_CAP, confidenceOfEdge } from "./cascade-report.ts";
import { type DecidedGroup, lastLogits } from "./decide.ts";

/** Asked fractions that the two are compared at, next to the capped cascade's own. */
const FRACTIONS = [0.05, 0.1, ASKED_CAP, 0.2, 0.3];

/** A logistic gate on the last exit's outputs against its plain confidence, at the same asked fractions. */
export function compareGate(fitOn: DecidedGroup, scored: DecidedGroup, model: Model, cascade: CascadeScore) {
  const isRight = ({ all }: DecidedGroup): boolean[] => all.map(({ exits, truth }) => exits.at(-1)!.label === truth);
  const gate = fitGate(lastLogits(fitOn, model), isRight(fitOn));
  const gateScore = lastLogits(scored, model).map((row) => gate.probability(row));
  const confidence = scored.all.map(confidenceOfEdge);
  const row = (askedFraction: number) => ({
    askedFraction,
    confidenceAccuracy: accuracyAskingLowest(scored.all, confidence, askedFraction),
    gateAccuracy: accuracyAskingLowest(scored.all, gateScore, askedFraction),
  });
  return {
    parameters: gate.parameters,
    fittedOn: { decisions: fitOn.all.length, wrong: isRight(fitOn).filter((right) => !right).length },
    auroc: { confidence: areaUnderRoc(confidence, isRight(scored)), gate: areaUnderRoc(gateScore, isRight(scored)) },
    table: FRACTIONS.map(row),
    atCascade: { ...row(cascade.askedFraction), thresholdsAccuracy: cascade.accuracy },
  };
}
