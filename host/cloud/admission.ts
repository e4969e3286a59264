/** What lately a batch has cost: how long one takes, and what an ask adds to the wait of those behind it. */
export interface ServiceTime {
  /** Milliseconds of the last batches; 0 before the first. */
  readonly batchMillis: number;
  readonly askMillis: number;
  observe(batchMillis: number, asks: number): void;
}

/** How much the newest batch counts against all before it. */
const NEWEST = 0.2;

export function createServiceTime(): ServiceTime {
  let batchMillis = 0;
  let askMillis = 0;
  let isFirst = true;
  return {
    get batchMillis() {
      return batchMillis;
    },
    get askMillis() {
      return askMillis;
    },
    observe(millis, asks) {
      const share = isFirst ? 1 : NEWEST;
      isFirst = false;
      batchMillis += share * (millis - batchMillis);
      askMillis += share * (millis / asks - askMillis);
    },
  };
}

/** Whether an ask may wait here. `retryAfterMillis` set: another worker, or this one later, may have the time. */
export type Admission =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "busy" | "deadline"; readonly detail: string; readonly retryAfterMillis?: number };

/** Who asks to be let in, and what is known of the wait. */
export interface AdmissionRequest {
  readonly time: Pick<ServiceTime, "batchMillis" | "askMillis">;
  readonly ahead: number; // asks here that are more urgent
  readonly leftMillis: number; // until its deadline
  /** Longest wait that may be promised: after a longer silence a device asks again, likely another worker, and is answered twice. */
  readonly maxWaitMillis: number;
  /** Least time to come back. */
  readonly retryAfterMillis: number;
  /** Uniform in [0, 1): those sent back together do not come back together. */
  readonly spread: number;
}

/**
 * Admission control: with `ahead` asks more urgent and perhaps a batch under way, the answer is due after `ahead · askMillis + 2 batches`.
 * An ask that has less time, or would wait too long, is told so at once: `busy` with a time to come back while that makes sense (the
 * longer the wait, the later), else `deadline`, for good. A device that is told keeps its radio off meanwhile and its place in no queue.
 */
export function admit(request: AdmissionRequest): Admission {
  const { time, ahead, leftMillis, maxWaitMillis, retryAfterMillis } = request;
  const { batchMillis, askMillis } = time;
  if (leftMillis <= askMillis) {
    return { ok: false, reason: "deadline", detail: `${whole(leftMillis)} ms are left, an answer takes ${whole(askMillis)} ms` };
  }
  const dueMillis = ahead * askMillis + 2 * batchMillis;
  if (ahead === 0 || dueMillis <= Math.min(leftMillis, maxWaitMillis)) return { ok: true };
  const detail = `${ahead} asks are more urgent: an answer here takes ${whole(dueMillis)} ms, ${whole(leftMillis)} ms are left`;
  const backInMillis = Math.max(retryAfterMillis, dueMillis) * (1 + request.spread);
  return { ok: false, reason: "busy", detail, retryAfterMillis: Math.min(backInMillis, leftMillis / 2) };
}

const whole = (millis: number) => Math.max(0, Math.round(millis));
