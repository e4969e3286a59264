import type { AskQuery, TextQuery } from "../mqtt/wire/ask.ts";
import type { TextReply } from "../mqtt/wire/text-ask.ts";

/** Who asks, and until when. */
interface Asked {
  readonly id: string; // 32 hex digits
  readonly node: string;
  readonly deadlineAtMillis: number; // worker's monotonic clock
}

/** An ask as a provider sees it: checked, with its deadline on the worker's own clock. */
export interface CloudQuery extends Omit<AskQuery, "deadlineMillis">, Asked {}

/** The same for a question in free text. */
export interface CloudTextQuery extends Omit<TextQuery, "deadlineMillis">, Asked {}

export const isTextQuery = (query: CloudQuery | CloudTextQuery): query is CloudTextQuery => "question" in query;

/** With `retryAfterMillis` a refusal means: busy, ask again then. */
export type CloudRefusal = { readonly ok: false; readonly reason: string; readonly detail: string; readonly retryAfterMillis?: number };

/** `label` indexes the labels of the query. */
export type CloudAnswer = { readonly ok: true; readonly label: number; readonly confidence: number; readonly model: string } | CloudRefusal;

export type CloudTextAnswer = { readonly ok: true; readonly reply: TextReply; readonly model: string } | CloudRefusal;

/** Something bigger than the device's model. One answer for each query, in order; it may reject, the worker copes. */
export interface Provider {
  readonly name: string;
  answer(batch: readonly CloudQuery[]): Promise<readonly CloudAnswer[]>;
  /** Left out: text asks are refused. */
  answerText?(batch: readonly CloudTextQuery[]): Promise<readonly CloudTextAnswer[]>;
  close?(): Promise<void>;
}
