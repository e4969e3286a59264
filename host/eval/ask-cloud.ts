import type { CloudAnswer, CloudQuery, Provider } from "../cloud/provider.ts";
import { contextOps } from "../core/image/op-count.ts";
import type { Model } from "../core/session/model.ts";
import { ModelError } from "../core/system/errors.ts";
import type { CascadeDecision } from "../policy/certify/cascade.ts";
import type { StreamDecision } from "./stream-decisions.ts";

/** Asks in one batch of the provider. */
const BATCH = 64;

/**
 * Puts every decision to the cloud as the device would: its context as int8 patches, its labels, its own last exit's word. Throws
 * CLOUD_REFUSED if the provider refuses one: an evaluation with gaps is invalid.
 */
export async function askAll(
  provider: Provider,
  edge: Model,
  members: readonly Model[],
  agent: string,
  decisions: readonly StreamDecision[],
  onAnswer?: (done: number, total: number) => void,
): Promise<CascadeDecision[]> {
  const { image, imageHash } = edge;
  const patchBytes = image.channels * image.patchFrames;
  const asked: CascadeDecision[] = [];
  for (let at = 0; at < decisions.length; at += BATCH) {
    const batch = decisions.slice(at, at + BATCH);
    const queries = batch.map(({ context, exits, frame }, i): CloudQuery => {
      const local = exits.at(-1)!;
      return {
        ...{ id: (at + i).toString(16).padStart(32, "0"), node: "eval", agent, imageHash, labels: image.manifest.labels },
        ...{ tick: frame + 1, patches: context, patchBytes, windowPatches: image.windowPatches },
        local: { ...local, exit: exits.length - 1 },
        deadlineAtMillis: Number.MAX_SAFE_INTEGER,
      };
    });
    const answers = await provider.answer(queries);
    batch.forEach(({ truth, wearer, exits, context }, i) => {
      const { label, confidence } = granted(answers[i]);
      asked.push({ truth, wearer, exits, cloud: { label, confidence, macs: cloudMacs(members, context.length / patchBytes) } });
      onAnswer?.(asked.length, decisions.length);
    });
  }
  return asked;
}

/** Multiply-accumulates of one answer: every member over `patches` patches, an attention at its full window. */
function cloudMacs(members: readonly Model[], patches: number): number {
  return members.reduce((sum, { image }) => sum + contextOps(image, patches).macs, 0);
}

function granted(answer: CloudAnswer | undefined): Extract<CloudAnswer, { ok: true }> {
  if (answer?.ok) return answer;
  const why = answer ? `${answer.reason}: ${answer.detail}` : "it gave no answer";
  throw new ModelError("CLOUD_REFUSED", `the teacher refused an ask (${why}). Export it with the device's labels and patches.`);
}
