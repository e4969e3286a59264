import { ConfigError } from "../core/system/errors.ts";
import { type Continuation, continueFrom } from "./continuation.ts";
import { type Ensemble, openEnsemble, type TeacherMember } from "./ensemble.ts";
import type { CloudAnswer, CloudQuery, Provider } from "./provider.ts";

export interface TeacherOptions {
  readonly members: readonly TeacherMember[];
  /** Images whose upper blocks go on from an exit's activations, by image hash; none: such asks are refused. */
  readonly continuations?: ReadonlyMap<string, Continuation>;
  /** What answers name as their model, default `teacher`. */
  readonly name?: string;
}

/**
 * The built-in bigger model: an ensemble in the same core. It reads the ask's context from a reset state, many asks in one pass, and of a
 * context longer than a member's batches have room for the last `maxPatches`: contexts of that length are what its temperature is of;
 * its answer is the mean of its members' calibrated probabilities, so its confidence compares with a device's. An ask with activations
 * goes on in the upper blocks of the device's own image. Sessions open at the first ask. Throws TEACHER_MEMBERS for members that do not
 * belong together, TEACHER_TEMPERATURE for a temperature that is not above 0.
 */
export function createTeacher(options: TeacherOptions): Provider {
  const { members, continuations, name = "teacher" } = options;
  const first = checkMembers(members);
  let opening: Promise<Ensemble> | undefined;

  const answerOf = (probabilities: Float64Array, model: string): CloudAnswer => {
    const label = probabilities.reduce((best, value, i) => (value > probabilities[best]! ? i : best), 0);
    return { ok: true, label, confidence: Math.min(1, probabilities[label]!), model };
  };

  return {
    name,
    async answer(batch) {
      opening ??= openEnsemble(members);
      opening.catch(() => {
        opening = undefined; // tried again with the next batch
      });
      const ensemble = await opening;
      const answers: CloudAnswer[] = new Array(batch.length);
      const read: number[] = [];
      for (const [i, query] of batch.entries()) {
        const refusal = refuse(query, first, members);
        if (refusal) answers[i] = refusal;
        else if (query.form !== "activations") read.push(i);
        else {
          const gone = continueFrom(query, continuations?.get(query.imageHash));
          answers[i] = gone.ok ? answerOf(gone.probabilities, `${name}/${gone.model}`) : gone;
        }
      }
      const sequences = members.map((member) => read.map((i) => patchesFor(member, batch[i]!)));
      const probabilities = await ensemble.probabilities(sequences);
      for (const [at, i] of read.entries()) answers[i] = answerOf(probabilities[at]!, name);
      return answers;
    },
  };
}

function checkMembers(members: readonly TeacherMember[]): TeacherMember {
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
  return first;
}

function refuse(query: CloudQuery, member: TeacherMember, members: readonly TeacherMember[]): CloudAnswer | undefined {
  if (!sameLabels(query.labels, member.labels)) {
    return { ok: false, reason: "labels", detail: `this teacher knows ${member.labels.join(", ")}`.slice(0, 256) };
  }
  if (query.form === "activations") return undefined; // the image says
  if (query.form === "raw" && members.some(({ quantise }) => quantise === undefined)) {
    return { ok: false, reason: "form", detail: "this teacher reads features, not raw frames" };
  }
  const rowBytes = query.form === "raw" ? 2 * member.patchBytes : member.patchBytes;
  if (query.patchBytes !== rowBytes) {
    return { ok: false, reason: "patches", detail: `patches of ${query.patchBytes} B; this teacher reads ${rowBytes} B` };
  }
  return undefined;
}

/** The rows of an ask as a member embeds them: the last that its batches have room for, all where it has none. */
function patchesFor(member: TeacherMember, query: CloudQuery): Int8Array {
  const sent = query.patches.length / query.patchBytes;
  const rows = Math.min(sent, member.batch?.maxPatches ?? sent);
  const last = query.patches.subarray((sent - rows) * query.patchBytes);
  if (query.form !== "raw") return last;
  const view = new DataView(last.buffer, last.byteOffset, last.byteLength);
  const patches = new Int8Array(rows * member.patchBytes);
  for (let row = 0; row < rows; row++) {
    const frames = Int16Array.from({ length: member.patchBytes }, (_, i) => view.getInt16(row * query.patchBytes + 2 * i, true));
    patches.set(member.quantise!(frames), row * member.patchBytes);
  }
  return patches;
}

function sameLabels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((label, i) => label === b[i]);
}
