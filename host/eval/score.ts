import { createHash } from "node:crypto";
import type { Session } from "../core/session/session-types.ts";
import { largest } from "../policy/certify/softmax.ts";
import type { ScoredMoment } from "./protocols.ts";

/** What one exit answered over all scored windows. */
export interface ExitScore {
  readonly accuracy: number;
  readonly macroF1: number; // over the scored classes
  readonly confusion: readonly (readonly number[])[]; // [true class][answered class]
  readonly macs: number; // of a window that stops here; 0 where nothing counts them (float)
}

export interface Evaluation {
  readonly protocol: "window" | "stream";
  readonly windows: number;
  readonly exits: readonly ExitScore[];
  /** SHA-256 over the logits (int16 LE, every exit) and the snapshot after each scored window: equal on every engine. */
  readonly sha256: string;
  /** SHA-256 over the logits (int16 LE, every exit) and each exit's label (one byte), without state: equal in every image format too. */
  readonly decisionsSha256: string;
}

/** Counts the answers of a running session; hashes its decisions, and its logits with its state. Classes 0…nScored − 1 can be true. */
export function createScore(session: Session, nScored: number) {
  const first = session.logits();
  const tally = createTally(first.length, first[0]!.length, nScored);
  const hash = createHash("sha256");
  const decisions = createHash("sha256");
  const bytes = new Uint8Array(first.length * first[0]!.length * 2);
  const view = new DataView(bytes.buffer);
  return {
    count: tally.count,
    add({ label, logits, scores }: Pick<ScoredMoment, "label" | "logits" | "scores">): void {
      tally.add(scores, label);
      let at = 0;
      for (const exit of logits)
        for (const logit of exit) {
          view.setInt16(at, logit, true);
          at += 2;
        }
      hash.update(bytes);
      hash.update(session.snapshot());
      decisions.update(bytes);
      decisions.update(Uint8Array.from(scores, largest));
    },
    result: (protocol: "window" | "stream"): Evaluation => ({
      protocol,
      windows: tally.count(),
      exits: tally.exits((k) => session.opCount(k).macs),
      sha256: hash.digest("hex"),
      decisionsSha256: decisions.digest("hex"),
    }),
  };
}

/** Confusions (nScored, nClasses) by exit. */
export function createTally(nExits: number, nClasses: number, nScored: number) {
  const confusions = Array.from({ length: nExits }, () => Array.from({ length: nScored }, () => new Array<number>(nClasses).fill(0)));
  let count = 0;
  return {
    count: () => count,
    add(scores: readonly ArrayLike<number>[], label: number): void {
      count++;
      scores.forEach((exit, k) => {
        confusions[k]![label]![largest(exit)]!++;
      });
    },
    exits: (macsOf: (exit: number) => number): ExitScore[] =>
      confusions.map((confusion, k) => {
        let right = 0;
        let f1 = 0;
        for (let c = 0; c < nScored; c++) {
          const hits = confusion[c]![c]!;
          const actual = confusion[c]!.reduce((sum, n) => sum + n, 0);
          const answered = confusion.reduce((sum, row) => sum + row[c]!, 0);
          right += hits;
          f1 += actual + answered > 0 ? (2 * hits) / (actual + answered) : 0;
        }
        return { accuracy: right / Math.max(1, count), macroF1: f1 / nScored, confusion, macs: macsOf(k) };
      }),
  };
}
