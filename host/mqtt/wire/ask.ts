import type { AskForm } from "./ask-forms.ts";
import type { AskText, TextReply } from "./text-ask.ts";

/** The life of an ask: pending until it ends once in one of the others. */
export const ASK_STATES = ["pending", "answered", "expired", "refused", "evicted"] as const;
export type AskState = (typeof ASK_STATES)[number];
export type AskEnd = Exclude<AskState, "pending">;

/** All that an answer needs: workers are stateless. */
export interface AskQuery {
  readonly agent: string;
  readonly imageHash: string; // hex SHA-256 of the image that was unsure
  readonly labels: readonly string[];
  readonly tick: number; // device time (frames) of the decision
  /** What the rows of `patches` are, default `features`; see ASK_FORMS. */
  readonly form?: AskForm;
  readonly atExit?: number; // of `activations`: the exit whose head read them
  readonly patches: Int8Array; // (patchCount, patchBytes) oldest first: context, ending with the window
  readonly patchBytes: number;
  readonly windowPatches: number;
  readonly local: { readonly label: number; readonly confidenceQ15: number; readonly exit: number };
  readonly deadlineMillis: number; // from now
}

/** A question in free text; its bounds are those of wire/text-ask.ts. Whoever asks has scrubbed all of it. */
export interface TextQuery extends AskText {
  readonly agent: string;
  readonly tick: number; // device time
  readonly deadlineMillis: number; // from now
}

/** The cloud's answer. `label` indexes the labels of the ask. */
export interface Answer {
  readonly label: number;
  readonly confidence: number; // 0…1
  readonly model: string;
}

/** An ask that has ended. */
export interface AskOutcome {
  readonly id: string; // 32 hex digits: the correlation data
  readonly state: AskEnd;
  readonly answer?: Answer;
  readonly reason?: string; // why refused or evicted
  readonly agent: string;
  readonly tick: number;
  readonly local: AskQuery["local"];
  readonly latencyMillis: number;
}

/** A text ask that has ended. `question` is as it was sent, its placeholders in place. */
export interface TextOutcome extends Pick<AskOutcome, "id" | "state" | "reason" | "agent" | "tick" | "latencyMillis"> {
  readonly question: string;
  readonly reply?: TextReply & { readonly model: string };
}

export type LinkState = "offline" | "connecting" | "online";
