import { setImmediate as breathe } from "node:timers/promises";
import { FIXED_LOGIT_BITS } from "../../assembly/layout.ts";
import type { Batch } from "../core/session/batch.ts";
import type { Session } from "../core/session/session-types.ts";

/** One image of an ensemble. */
export interface TeacherMember {
  readonly name: string;
  readonly labels: readonly string[]; // manifest.labels
  readonly patchBytes: number; // patchFrames · channels
  readonly ringPatches: number; // of its image: so many may come between two readings of logits
  readonly temperature: number; // of its last exit's calibration: makes its softmax a probability
  open(): Session | Promise<Session>;
  /** Many sequences in one pass, each of at most `maxPatches`; left out: one after the other. */
  readonly batch?: { readonly maxPatches: number; open(): Batch | Promise<Batch> };
  /** One patch of frames as the sensor gave them, (patchFrames, channels) s16, as the member embeds it; left out: it cannot read such. */
  quantise?(frames: Int16Array): Int8Array;
}

/** Fewer sequences than this cost less one by one: a batch runs all its lanes, whoever is in them. */
const LEAST_FOR_A_BATCH = 3;

/** What a member needs to run, opened once. */
interface OpenMember {
  readonly member: TeacherMember;
  readonly session: Session;
  readonly batch: Batch | undefined;
}

/** Members with their sessions and batches open. */
export interface Ensemble {
  /**
   * For each sequence, read from a reset state, the mean over the members of the softmax of the last exit's logits at the member's own
   * temperature (Guo et al., arXiv 1706.04599). `sequences[m]` are the sequences as member m reads them.
   */
  probabilities(sequences: readonly (readonly Int8Array[])[]): Promise<Float64Array[]>;
}

export async function openEnsemble(members: readonly TeacherMember[]): Promise<Ensemble> {
  const opened: OpenMember[] = await Promise.all(
    members.map(async (member) => ({ member, session: await member.open(), batch: await member.batch?.open() })),
  );
  return {
    async probabilities(sequences) {
      const count = sequences[0]?.length ?? 0;
      const means = Array.from({ length: count }, () => new Float64Array(members[0]!.labels.length));
      for (const [m, one] of opened.entries()) {
        const logits = await logitsOf(one, sequences[m]!);
        for (const [i, mean] of means.entries()) {
          const own = softmax(logits[i]!, one.member.temperature);
          for (let c = 0; c < mean.length; c++) mean[c]! += (own[c] ?? 0) / opened.length;
        }
      }
      return means;
    },
  };
}

/** The last exit's logits of each sequence. The event loop gets its turn after every pass: keep alive and new asks come between two. */
async function logitsOf({ member, session, batch }: OpenMember, sequences: readonly Int8Array[]): Promise<Int16Array[]> {
  const results: Int16Array[] = new Array(sequences.length);
  const longest = (member.batch?.maxPatches ?? 0) * member.patchBytes;
  const together = sequences.map((_, i) => i).filter((i) => sequences[i]!.length <= longest);
  together.sort((a, b) => sequences[a]!.length - sequences[b]!.length); // so that none waits for a longer one
  while (batch && together.length >= LEAST_FOR_A_BATCH) {
    const group = together.splice(0, batch.lanes);
    const logits = batch.run(group.map((i) => sequences[i]!));
    for (const [lane, i] of group.entries()) results[i] = logits[lane]!;
    await breathe();
  }
  for (const [i, sequence] of sequences.entries()) {
    if (results[i]) continue;
    results[i] = logitsAlone(session, sequence, member);
    await breathe();
  }
  return results;
}

/** Read as seldom as the rings allow: none overflows, so the upper blocks read the whole context too. */
function logitsAlone(session: Session, patches: Int8Array, { patchBytes, ringPatches }: TeacherMember): Int16Array {
  session.reset();
  for (let at = 0, pending = 0; at < patches.length; at += patchBytes) {
    if (pending === ringPatches) {
      session.logits();
      pending = 0;
    }
    session.pushPatch(patches.subarray(at, at + patchBytes));
    pending++;
  }
  return session.logits().at(-1)!;
}

/** Probabilities of logits in Q10, divided by `temperature` first. */
export function softmax(logitsQ10: Int16Array, temperature = 1): Float64Array {
  const highest = logitsQ10.reduce((a, b) => Math.max(a, b), -32768);
  const powers = Float64Array.from(logitsQ10, (logit) => Math.exp((logit - highest) / 2 ** FIXED_LOGIT_BITS / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
