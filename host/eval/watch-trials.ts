import { isSuspicious, type SuspicionRule } from "../agent/suspicion-rule.ts";
import { type MotionScale, readMotion } from "../cloud/confirm/motion.ts";
import { isMoving } from "../cloud/confirm/statistics.ts";
import type { CloudQuery, Provider } from "../cloud/provider.ts";
import type { Model } from "../core/session/model.ts";
import type { Decision, SetPoint } from "../core/session/session-types.ts";
import { ModelError } from "../core/system/errors.ts";
import type { Recording } from "../data/recording.ts";
import { frameAt } from "./protocols.ts";

/** A recording, and the frame of the impact if an alarm is due in it. */
export interface Trial {
  readonly recording: Recording;
  readonly impact: number | undefined;
}

/** Who answers: the cloud, and the linear model that could run on the device. */
export type Judge = "cloud" | "linear";

/** A trial as the device decides it, and what each judge says of its hops. */
export interface WatchedTrial {
  readonly name: string;
  readonly subject: string;
  readonly frames: number;
  readonly impact: number | undefined;
  readonly decisions: readonly Decision[];
  /** Probability of the alarm, by the tick of the suspicion: of every hop with movement, and of all that can be suspicions. */
  readonly verdicts: ReadonlyMap<number, Readonly<Record<Judge, number>>>;
}

interface WatchOptions {
  readonly agent: string;
  readonly rule: SuspicionRule;
  readonly setPoint: SetPoint;
  readonly scale: MotionScale;
  readonly judges: Readonly<Record<Judge, Provider>>;
  readonly onTrial?: (done: number, total: number) => void;
}

/**
 * Streams each trial from a reset state and puts its hops to the judges, each with the context that an ask about it carries: the
 * session's own, `afterFrames` later. Hops without movement are left out, and so are those whose context the recording does not hold.
 */
export async function watchTrials(model: Model, trials: readonly Trial[], options: WatchOptions): Promise<WatchedTrial[]> {
  const session = model.createSession();
  session.setPoint(options.setPoint);
  const { rule } = options;
  const watched: WatchedTrial[] = [];
  for (const { recording, impact } of trials) {
    const frames = recording.labels.length;
    const decisions: Decision[] = [];
    const due: Decision[] = []; // in order of their ticks
    const queries: CloudQuery[] = [];
    session.reset();
    for (let tick = 1; tick <= frames; tick++) {
      const { decision } = session.pushFrame(frameAt(recording, tick - 1), tick);
      if (decision !== undefined) {
        decisions.push(decision);
        const motion = readMotion(session.context(), options.scale);
        if (decision.label === rule.label || isSuspicious(rule, decision) || isMoving(motion, motion.frames)) due.push(decision);
      }
      while (due[0] !== undefined && tick - due[0].tick >= rule.afterFrames)
        queries.push(queryOf(model, options.agent, due.shift()!, session.context()));
    }
    const cloud = await probabilities(options.judges.cloud, queries, rule.label);
    const linear = await probabilities(options.judges.linear, queries, rule.label);
    const verdicts = new Map(queries.map(({ tick }, i) => [tick, { cloud: cloud[i]!, linear: linear[i]! }]));
    watched.push({ name: recording.name, subject: recording.subject, frames, impact, decisions, verdicts });
    options.onTrial?.(watched.length, trials.length);
  }
  return watched;
}

/** The ask as a device sends it. */
function queryOf(
  { image, imageHash }: Model,
  agent: string,
  { label, confidenceQ15, exit, tick }: Decision,
  context: Int8Array,
): CloudQuery {
  return {
    ...{ id: tick.toString(16).padStart(32, "0"), node: "eval", agent, imageHash, labels: image.manifest.labels, tick },
    ...{ patches: context, patchBytes: image.channels * image.patchFrames, windowPatches: image.windowPatches },
    local: { label, confidenceQ15, exit },
    deadlineAtMillis: Number.MAX_SAFE_INTEGER,
  };
}

/** P(label) by each answer. Throws CLOUD_REFUSED: an evaluation with gaps is invalid. */
async function probabilities(judge: Provider, queries: readonly CloudQuery[], label: number): Promise<number[]> {
  const answers = await judge.answer(queries);
  return answers.map((answer) => {
    if (!answer.ok)
      throw new ModelError("CLOUD_REFUSED", `${judge.name} refused an ask (${answer.reason}: ${answer.detail}). Train it for this image.`);
    return answer.label === label ? answer.confidence : 1 - answer.confidence;
  });
}
