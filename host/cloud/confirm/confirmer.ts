import type { CloudAnswer, CloudQuery, Provider } from "../provider.ts";
import { type Confirmation, type ConfirmationPart, confirmationProbability } from "./confirmation.ts";
import { readMotion } from "./motion.ts";
import { contextStatistics } from "./statistics.ts";

/**
 * The cloud that confirms suspicions: it reads an ask's context as one that ends `afterFrames` after a suspicion, and answers with the
 * confirmed label or the most likely other one. With two labels that is the other; the confidence is at least one half.
 */
export function createConfirmer(confirmation: Confirmation, part: ConfirmationPart = "mean"): Provider {
  const { labels, label, patchFrames, scale, afterFrames } = confirmation;
  const name = part === "mean" ? confirmation.name : `${confirmation.name}-${part}`;
  const other = label === 0 ? 1 : 0;

  function answerOf(query: CloudQuery): CloudAnswer {
    const refusal = refuse(query, labels, patchFrames * scale.step.length);
    if (refusal !== undefined) return refusal;
    const statistics = contextStatistics(readMotion(query.patches, scale), afterFrames);
    const probability = confirmationProbability(confirmation, statistics, part);
    const isConfirmed = probability >= 0.5;
    return { ok: true, label: isConfirmed ? label : other, confidence: isConfirmed ? probability : 1 - probability, model: name };
  }

  return { name, answer: (batch) => Promise.resolve(batch.map(answerOf)) };
}

function refuse({ labels, form, patchBytes, patches }: CloudQuery, own: readonly string[], ownBytes: number): CloudAnswer | undefined {
  if (labels.length !== own.length || labels.some((label, i) => label !== own[i]))
    return { ok: false, reason: "labels", detail: `this model knows ${own.join(", ")}`.slice(0, 256) };
  if (form !== undefined && form !== "features") return { ok: false, reason: "form", detail: `this model reads features, not ${form}` };
  if (patchBytes !== ownBytes || patches.length < patchBytes)
    return {
      ok: false,
      reason: "patches",
      detail: `${patches.length} B in patches of ${patchBytes} B; this model reads patches of ${ownBytes} B`,
    };
  return undefined;
}
