import { setImmediate as breathe } from "node:timers/promises";
import { FIXED_LOGIT_BITS } from "../../assembly/layout.ts";
import { ConfigError } from "../core/errors.ts";
import type { Session } from "../core/session-types.ts";
import type { CloudAnswer, CloudQuery, Provider } from "./provider.ts";

/** One image of the ensemble. */
export interface TeacherMember {
  readonly name: string;
  readonly labels: readonly string[]; // manifest.labels
  readonly patchBytes: number; // patchFrames · channels
  readonly temperature: number; // of its last exit's calibration: makes its softmax a probability
  open(): Session | Promise<Session>;
}

export interface TeacherOptions {
  readonly members: readonly TeacherMember[];
  /** What answers name as their model, default `teacher`. */
  readonly name?: string;
}

/**
 * The built-in bigger model: an ensemble in the same core. It reads the ask's whole context from a reset state; its answer is the
 * mean, over the members, of the softmax of the last exit's logits at that member's calibrated temperature (Guo et al., arXiv
 * 1706.04599): so its confidence compares with a device's. Sessions open at the first ask. Throws TEACHER_MEMBERS for members that
 * do not belong together, TEACHER_TEMPERATURE for a temperature that is not above 0.
 */
export function createTeacher(options: TeacherOptions): Provider {
  const { members, name = "teacher" } = options;
  const [first] = members;
  const odd = members.find((member) => !sameLabels(member.labels, first!.labels) || member.patchBytes !== first!.patchBytes);
  if (!first || odd) {
    throw new ConfigError(
      "TEACHER_MEMBERS",
      odd
        ? `teacher ${odd.name} has other labels or patches than ${first!.name}. An ensemble needs one label set and one patch shape.`
        : "a teacher needs at least one image. Name one.",
    );
  }
  const cold = members.find(({ temperature }) => !(temperature > 0));
  if (cold) {
    throw new ConfigError(
      "TEACHER_TEMPERATURE",
      `teacher ${cold.name} has temperature ${cold.temperature}, and needs one above 0. Take the one that its last exit was calibrated with.`,
    );
  }
  let sessions: Promise<Session[]> | undefined;

  return {
    name,
    async answer(batch) {
      sessions ??= Promise.all(members.map((member) => member.open()));
      sessions.catch(() => {
        sessions = undefined; // tried again with the next batch
      });
      const ensemble = await sessions;
      const answers: CloudAnswer[] = [];
      for (const query of batch) {
        const refusal = refuse(query, first);
        answers.push(refusal ?? { ok: true, ...vote(members, ensemble, query), model: name });
        await breathe(); // the connection's keep alive and new asks come between two answers
      }
      return answers;
    },
  };
}

function refuse(query: CloudQuery, member: TeacherMember): CloudAnswer | undefined {
  if (!sameLabels(query.labels, member.labels)) {
    return { ok: false, reason: "labels", detail: `this teacher knows ${member.labels.join(", ")}`.slice(0, 256) };
  }
  if (query.patchBytes !== member.patchBytes) {
    return { ok: false, reason: "patches", detail: `patches of ${query.patchBytes} B; this teacher reads ${member.patchBytes} B` };
  }
  return undefined;
}

function vote(
  members: readonly TeacherMember[],
  sessions: readonly Session[],
  query: CloudQuery,
): { readonly label: number; readonly confidence: number } {
  const mean = new Float64Array(query.labels.length);
  for (const [i, session] of sessions.entries()) {
    session.reset();
    for (let at = 0; at < query.patches.length; at += query.patchBytes) {
      session.pushPatch(query.patches.subarray(at, at + query.patchBytes));
      session.logits(); // to full depth at every patch: no ring overflows, so the upper blocks read the whole context too
    }
    const probabilities = softmax(session.logits().at(-1)!, members[i]!.temperature);
    for (let c = 0; c < mean.length; c++) mean[c]! += (probabilities[c] ?? 0) / sessions.length;
  }
  const label = mean.reduce((best, value, i) => (value > mean[best]! ? i : best), 0);
  return { label, confidence: Math.min(1, mean[label]!) };
}

/** Probabilities of logits in Q10, divided by `temperature` first. */
export function softmax(logitsQ10: Int16Array, temperature = 1): Float64Array {
  const highest = logitsQ10.reduce((a, b) => Math.max(a, b), -32768);
  const powers = Float64Array.from(logitsQ10, (logit) => Math.exp((logit - highest) / 2 ** FIXED_LOGIT_BITS / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function sameLabels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((label, i) => label === b[i]);
}
