import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { countText, percentText } from "../../core/system/table.ts";
import { type EvalSetting, findBetweenClass, recordingsFor, requireScored, wearerRoles } from "../../eval/eval-setting.ts";
import { evaluatePolicy } from "../../eval/evaluate-policy.ts";
import { chooseExits, exitSavings } from "../../eval/exit-savings.ts";

/** Accuracy that early exits may cost on the wearers who choose their thresholds. */
const TOLERANCE = 0.003;

/**
 * Every hop of whole recordings: once as the image's own certificate allows (exits, asks), and once with exits alone, every decision
 * answered, against full depth on the same decisions.
 */
export function evalPolicy(setting: EvalSetting): void {
  const { out, agent, model, list } = setting;
  const { exits, hopPatches, manifest } = model.image;
  const roles = wearerRoles(manifest.protocol, list);
  const recordings = recordingsFor(setting, roles.score);
  const betweenClass = findBetweenClass(model);
  const setPoint = {
    ...{ maxExit: exits.length - 1, hopPatches, askAllowed: true, limitReason: "none" as const, thresholds: [] },
    askIntervalHops: agent.definition.asks.intervalHops,
  };
  const own = evaluatePolicy(() => model.createSession(), recordings, { setPoint, betweenClass });
  requireScored(own.decisions, roles.score);
  out.note("Exits alone: looking for their thresholds on the other wearers …");
  const groups = roles.tune.map((users) => recordingsFor(setting, users));
  const progress = out.progress("choices of thresholds");
  const choice = chooseExits(model, groups, TOLERANCE, betweenClass, progress.at);
  progress.end();
  const savings = exitSavings(model, recordings, choice.thresholdsQ15, betweenClass);
  const { early, full } = savings;
  const document = {
    agent: agent.definition.name,
    protocol: "policy",
    decisions: own.decisions,
    answered: own.answered,
    answeredFraction: own.answered / own.decisions,
    answeredAccuracy: own.answeredRight / Math.max(1, own.answered),
    answeredByExit: own.answeredByExit,
    meanMacs: own.meanMacs,
    rebuilds: own.rebuilds,
    exitsAlone: {
      thresholds: choice.thresholdsQ15.map((q15) => q15 / 32768), // one an exit; above 1: it may not answer; the last always does
      toleranceWhereChosen: TOLERANCE,
      chosenOn: roles.tune.flat(),
      coreRunsToConfirm: choice.coreRuns,
      accuracy: savings.accuracy,
      fullDepth: { accuracy: savings.fullAccuracy, meanMacs: full.meanMacs },
      accuracyLoss: savings.fullAccuracy - savings.accuracy,
      meanMacs: early.meanMacs,
      computeShare: savings.computeShare,
      answeredByExit: early.answeredByExit,
      rebuilds: early.rebuilds,
      rebuildFraction: early.rebuildFraction,
      afterRebuild: { ...early.afterRebuild, accuracy: shareOf(early.afterRebuild) },
    },
    engine: model.engine,
    imageHash: model.imageHash,
    users: roles.score,
  };
  out.say(`${document.agent}, policy: ${own.decisions} labelled decisions of ${countText(document.users.length, `${list} wearer`)}`);
  out.say(`answered here ${percentText(document.answeredFraction, 1)}, right ${percentText(document.answeredAccuracy, 2)} of those`);
  out.say(`by exit ${own.answeredByExit.join(" ")}; ${Math.round(own.meanMacs)} MACs per decision, ${own.rebuilds} rebuilds`);
  out.say();
  out.say(`exits alone, nothing asked; each answers from a gate probability of ${thresholdsText(choice.thresholdsQ15)}:`);
  out.say(
    `right ${percentText(savings.accuracy, 2)}, full depth ${percentText(savings.fullAccuracy, 2)}, ` +
      `at ${percentText(savings.computeShare, 1)} of its compute`,
  );
  out.say(
    `by exit ${early.answeredByExit.join(" ")}; ${Math.round(early.meanMacs)} MACs per decision, ` +
      `rings overflowed before ${percentText(early.rebuildFraction, 2)} of the decisions` +
      (early.afterRebuild.decisions === 0 ? "" : `, of which ${percentText(shareOf(early.afterRebuild)!, 2)} were right`),
  );
  out.document(document);
}

/** Null: there were none. */
function shareOf({ decisions, right }: { readonly decisions: number; readonly right: number }): number | null {
  return decisions === 0 ? null : right / decisions;
}

/** "never 0.920 0.880, the last always": a probability for each exit. */
function thresholdsText(thresholdsQ15: readonly number[]): string {
  const early = thresholdsQ15.slice(0, -1).map((q15) => (q15 === EXIT_NEVER ? "never" : (q15 / 32768).toFixed(3)));
  return `${early.join(" ")}, the last always`;
}
