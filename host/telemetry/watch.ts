import type { Loop } from "../agent/loop-types.ts";
import type { Provider } from "../cloud/provider.ts";
import type { Worker, WorkerStats } from "../cloud/worker-types.ts";
import type { Metric, Telemetry } from "../core/session/telemetry.ts";
import type { Presence } from "../mqtt/asks/presence.ts";
import { METRICS } from "./catalogue.ts";

const ENDS = ["answered", "expired", "refused", "evicted"] as const;
const IGNORED = ["duplicateAnswers", "lateAnswers", "malformedAnswers", "unknownAnswers"] as const;
const FATES = [
  "received",
  "answered",
  "refused",
  "expired",
  "malformed",
  "duplicates",
  "cacheHits",
  "notMine",
  "unread",
] as const satisfies readonly (keyof WorkerStats)[];

/** Reads a loop's and its asker's counters on every scrape; returns a function that stops. */
export function watchLoop(telemetry: Telemetry, loop: Loop, commands?: () => Readonly<Record<string, number>>): () => void {
  const asker = loop.asker;
  const stops = [
    telemetry.observe(METRICS.decisions, () => loop.counters().exits.map((value, exit) => ({ value, attributes: { exit: exit + 1 } }))),
    telemetry.observe(METRICS.frames, () => [{ value: loop.counters().frames }]),
  ];
  if (asker !== undefined) {
    stops.push(
      telemetry.observe(METRICS.asks, () => ENDS.map((state) => ({ value: asker.counts()[state], attributes: { state } }))),
      telemetry.observe(METRICS.asksPending, () => [{ value: asker.counts().pending }]),
      telemetry.observe(METRICS.ignoredAnswers, () =>
        IGNORED.map((key) => ({ value: asker.counts()[key], attributes: { reason: key.replace("Answers", "") } })),
      ),
      telemetry.observe(METRICS.outboxBytes, () => [{ value: asker.stats().outboxBytes }]),
      telemetry.observe(METRICS.connects, () => [{ value: asker.stats().connects }]),
    );
  }
  stops.push(watchPresence(telemetry, () => loop.presence()));
  if (commands !== undefined) stops.push(telemetry.observe(METRICS.commands, () => byKey(commands(), "outcome")));
  return () => {
    for (const stop of stops) stop();
  };
}

/** Reads what is known of a node on every scrape; what is unknown has no value. */
export function watchPresence(telemetry: Telemetry, read: () => Presence): () => void {
  const gauge = (value: number | undefined) => (value === undefined ? [] : [{ value }]);
  const stops = [
    telemetry.observe(METRICS.batteryPercent, () => gauge(read().batteryPercent)),
    telemetry.observe(METRICS.skinCelsius, () => gauge(read().skinCelsius)),
    telemetry.observe(METRICS.level, () => gauge(read().level)),
    telemetry.observe(METRICS.node, () => {
      const { agent, board, label, model, firmware } = read();
      const attributes = Object.fromEntries(
        Object.entries({ agent, board, label, model, firmware }).filter((entry): entry is [string, string] => entry[1] !== undefined),
      );
      return [{ value: 1, attributes }];
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Reads a worker's counters on every scrape. */
export function watchWorker(telemetry: Telemetry, worker: Worker): void {
  telemetry.observe(METRICS.workerAsks, () => FATES.map((fate) => ({ value: worker.stats()[fate], attributes: { fate } })));
  telemetry.observe(METRICS.workerQueued, () => [{ value: worker.stats().queued }]);
}

/** Times a provider's calls. */
export function timedProvider(provider: Provider, telemetry: Telemetry, now: () => number): Provider {
  const record = (metric: Metric, value: number, isOk: boolean) =>
    telemetry.record(metric, value, { provider: provider.name, outcome: isOk ? "ok" : "failed" });
  const timed =
    <Q, A>(answer: (batch: readonly Q[]) => Promise<readonly A[]>) =>
    async (batch: readonly Q[]): Promise<readonly A[]> => {
      const began = now();
      let isOk = false;
      try {
        const answers = await answer(batch);
        isOk = true;
        return answers;
      } finally {
        record(METRICS.providerSeconds, (now() - began) / 1000, isOk);
        record(METRICS.providerBatch, batch.length, isOk);
      }
    };
  return {
    name: provider.name,
    ...(provider.close && { close: () => provider.close!() }),
    answer: timed((batch) => provider.answer(batch)),
    ...(provider.answerText && { answerText: timed((batch) => provider.answerText!(batch)) }),
  };
}

function byKey(counts: Readonly<Record<string, number>>, key: string) {
  return Object.entries(counts).map(([name, value]) => ({ value, attributes: { [key]: name } }));
}
