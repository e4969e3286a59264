import type { Clock } from "../core/system/clock.ts";
import type { ServiceTime } from "./admission.ts";
import type { AskQueue, QueuedAsk } from "./ask-queue.ts";
import { flawlessAnswer, flawlessText } from "./flawless.ts";
import {
  type CloudAnswer,
  type CloudQuery,
  type CloudRefusal,
  type CloudTextAnswer,
  type CloudTextQuery,
  isTextQuery,
  type Provider,
} from "./provider.ts";

type Answer = CloudAnswer | CloudTextAnswer;

/**
 * One node gets at most a quarter of a batch, but 8 where there is room, even when no other waits: who comes while a batch is answered
 * waits for all of it. 8 asks cost the teacher hardly more time than one, so this loses no throughput.
 */
const nodeShareOf = (batchLimit: number): number => Math.max(8, Math.ceil(batchLimit / 4));

export interface BatcherOptions {
  readonly queue: AskQueue;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly serviceTime: ServiceTime;
  readonly batchLimit: number;
  readonly batchDelayMillis: number;
  readonly timeoutMillis: number;
  /** What refusals for a provider's failure say. */
  readonly retryAfterMillis: number;
  /** Each ask that was taken ends in one of these. */
  readonly onAnswer: (ask: QueuedAsk, answer: Answer) => void;
  readonly onExpired: (ask: QueuedAsk) => void;
  /** Called with the batch that the provider let down. */
  readonly onFailure: (asks: number, detail: string) => void;
}

/** Takes the most urgent asks from the queue, as many as there are up to the limit, and gives them to the provider, one batch after the other. */
export interface Batcher {
  readonly batches: number;
  readonly largestBatch: number;
  /** Something was queued. The first ask of a pause waits `batchDelayMillis` for company. */
  wake(): void;
  /** Resolves when nothing is queued or with the provider; after `timeoutMillis` at the latest. */
  idle(timeoutMillis: number): Promise<void>;
}

/** Batches are as large as what came in while the one before was answered: they grow with the load, and an idle worker does not wait. */
export function createBatcher(options: BatcherOptions): Batcher {
  const { queue, clock, batchLimit, serviceTime } = options;
  const nodeShare = nodeShareOf(batchLimit);
  const whenIdle = new Set<() => void>();
  let isBusy = false;
  let batches = 0;
  let largestBatch = 0;

  async function run(): Promise<void> {
    for (;;) {
      const batch = queue.take(batchLimit, nodeShare, clock.now(), options.onExpired);
      if (batch.length === 0) break;
      batches++;
      largestBatch = Math.max(largestBatch, batch.length);
      const startedAt = clock.now();
      const answers = await callProvider(batch);
      if (answers) serviceTime.observe(clock.now() - startedAt, batch.length);
      for (const [i, ask] of batch.entries()) {
        if (ask.query.deadlineAtMillis <= clock.now()) options.onExpired(ask);
        else options.onAnswer(ask, answers?.[i] ?? failed());
      }
    }
    isBusy = false;
    for (const resolve of whenIdle) resolve();
  }

  const failed = (): CloudRefusal => ({
    ...{ ok: false, reason: "provider", detail: `${options.provider.name} failed` },
    retryAfterMillis: options.retryAfterMillis,
  });

  async function callProvider(batch: readonly QueuedAsk[]): Promise<readonly Answer[] | undefined> {
    let cancel = () => {};
    const tooLate = new Promise<never>((_, reject) => {
      cancel = clock.after(options.timeoutMillis, () => reject(new Error(`no answer within ${options.timeoutMillis} ms`)));
    });
    try {
      return await Promise.race([answerAll(options.provider, batch), tooLate]);
    } catch (error) {
      options.onFailure(batch.length, (error instanceof Error ? error.message : String(error)).slice(0, 200));
      return undefined;
    } finally {
      cancel();
    }
  }

  return {
    get batches() {
      return batches;
    },
    get largestBatch() {
      return largestBatch;
    },
    wake() {
      if (isBusy) return;
      isBusy = true;
      clock.after(options.batchDelayMillis, () => void run());
    },
    idle(timeoutMillis) {
      if (!isBusy) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          cancel();
          whenIdle.delete(done);
          resolve();
        };
        const cancel = clock.after(timeoutMillis, done);
        whenIdle.add(done);
      });
    },
  };
}

/** Sensor asks and text asks each in one call, the answers in the order of the batch. */
async function answerAll(provider: Provider, batch: readonly QueuedAsk[]): Promise<Answer[]> {
  const sensor: { readonly at: number; readonly query: CloudQuery }[] = [];
  const text: { readonly at: number; readonly query: CloudTextQuery }[] = [];
  for (const [at, { query }] of batch.entries()) {
    if (isTextQuery(query)) text.push({ at, query });
    else sensor.push({ at, query });
  }
  const answers: Answer[] = new Array(batch.length);
  const ofSensor = sensor.length === 0 ? [] : provider.answer(sensor.map(({ query }) => query));
  const ofText = text.length === 0 ? [] : provider.answerText?.(text.map(({ query }) => query));
  const [labels, replies] = await Promise.all([ofSensor, ofText]);
  for (const [i, { at, query }] of sensor.entries()) answers[at] = flawlessAnswer(labels[i], query);
  for (const [i, { at, query }] of text.entries())
    answers[at] =
      replies === undefined ? { ok: false, reason: "form", detail: `${provider.name} answers no text` } : flawlessText(replies[i], query);
  return answers;
}
