import type { AskQuery } from "../mqtt/types.ts";

/** An ask as a provider sees it: checked, with its deadline on the worker's own clock. */
export interface CloudQuery extends Omit<AskQuery, "deadlineMillis"> {
  readonly id: string; // 32 hex digits
  readonly node: string;
  readonly deadlineAtMillis: number; // worker's monotonic clock
}

/** `label` indexes the labels of the query. With `retryAfterMillis` a refusal means: busy, ask again then. */
export type CloudAnswer =
  | { readonly ok: true; readonly label: number; readonly confidence: number; readonly model: string }
  | { readonly ok: false; readonly reason: string; readonly detail: string; readonly retryAfterMillis?: number };

/** Something bigger than the device's model. One answer for each query, in order; it may reject, the worker copes. */
export interface Provider {
  readonly name: string;
  answer(batch: readonly CloudQuery[]): Promise<readonly CloudAnswer[]>;
  close?(): Promise<void>;
}
