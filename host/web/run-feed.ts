import type { DecisionRecord, Loop, LoopStep } from "../agent/loop-types.ts";
import type { Phase, View } from "../agent/run-view.ts";
import type { PaceControl } from "../agent/sensors/pace-control.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import { sensorText, stepText } from "../agent/step-text.ts";
import type { Clock } from "../core/system/clock.ts";
import { textWithoutSecrets } from "../core/system/secrets.ts";
import type { AskOutcome } from "../mqtt/wire/ask.ts";
import type { GovernorStatus } from "../policy/govern/governor-types.ts";
import { DecisionRing } from "./decision-ring.ts";
import { createDeviceTime } from "./device-time.ts";
import {
  type AskRow,
  type DecisionRow,
  type EventRow,
  type LinkRow,
  POWER_PARTS,
  type RunFrame,
  type RunHello,
  type RunInfo,
  type RunStatus,
  WHYS,
} from "./messages.ts";
import { SignalRing } from "./signal-ring.ts";

/** Decisions that are kept: at a hop of 1.28 s almost six hours. */
export const DECISIONS_KEPT = 16_384;
/** Asks and events that are kept, and sent to a page that comes late. */
const ASKS_KEPT = 200;
const EVENTS_KEPT = 200;
/** Samples of the signals per second, and how long they are kept. */
const SIGNAL_RATE_HZ = 12.5;
export const SIGNAL_SECONDS_KEPT = 900;
const SIGNAL_CHANNELS = 3;
/** What happens within this time goes to the pages as one message. */
const FRAME_MILLIS = 100;
/** A page hears something at least so often while the run lasts. */
const STATUS_MILLIS = 1000;

export interface RunFeedOptions {
  readonly clock: Clock;
  readonly info: Omit<RunInfo, "channels" | "signalRateHz">;
  readonly channels: readonly { readonly name: string; readonly unit: string; readonly countsPerUnit: number }[];
  readonly loop: () => Loop | undefined;
  readonly power?: (() => GovernorStatus) | undefined;
  readonly pace: PaceControl;
  readonly isBrokerUp: () => boolean;
  readonly send: (event: "frame", frame: RunFrame) => void;
}

/** A view that keeps what pages need, in bounded memory, and tells them what is new ten times per second at most. */
export interface RunFeed extends View {
  /** Everything so far, for a page that has just come. */
  hello(): RunHello;
  /** The same sensor, watched on its way to the loop. */
  tap(sensor: Sensor): Sensor;
  /** Something outside the loop has changed: tells the pages. */
  refresh(): void;
}

export function createRunFeed(options: RunFeedOptions): RunFeed {
  const { clock, pace, loop, power } = options;
  const { labels, rateHz, agent } = options.info;
  const ring = new DecisionRing(DECISIONS_KEPT);
  const channels = options.channels.slice(0, SIGNAL_CHANNELS);
  const every = Math.max(1, Math.round(rateHz / SIGNAL_RATE_HZ));
  const signalRateHz = rateHz / every;
  const signals = new SignalRing(channels.length, signalRateHz, Math.ceil(SIGNAL_SECONDS_KEPT * signalRateHz));
  const info: RunInfo = { ...options.info, channels: channels.map(({ name, unit }) => ({ name, unit })), signalRateHz };
  const timeOf = createDeviceTime(rateHz);
  const asks = new Map<string, AskRow & { readonly since: number }>(); // oldest first
  const events: EventRow[] = [];
  let fresh: { decisions: DecisionRow[]; asks: Map<string, AskRow>; events: EventRow[]; samples: number } = nothing();
  let phase: Phase = "running";
  let link: LinkRow & { readonly at: number } = { state: info.hasBroker ? "connecting" : "offline", detail: "", retryMillis: -1, at: 0 };
  let toldLink: LinkRow["state"] | undefined;
  let seconds = 0;
  let isGap = false;
  let joules: { readonly at: number; readonly parts: readonly number[] } | undefined;
  let cancel = (): void => {};
  let isDue = false;

  const indexOf = (label: string | undefined): number => (label === undefined ? -1 : labels.indexOf(label));

  /** Mean watts by part since the last decision. */
  function watts(status: GovernorStatus | undefined): number[] {
    if (status === undefined) return [];
    const parts = POWER_PARTS.map((part) => status.joules[part]);
    const before = joules;
    joules = { at: seconds, parts };
    if (before === undefined || seconds <= before.at) return [];
    return parts.map((all, i) => (all - before.parts[i]!) / (seconds - before.at));
  }

  function onDecision(record: DecisionRecord): void {
    seconds = timeOf(record.tick);
    const status = power?.();
    const row: DecisionRow = {
      seconds,
      label: indexOf(record.label),
      shown: indexOf(record.shown),
      truth: indexOf(record.truth),
      confidence: record.confidence,
      exit: record.exit,
      why: WHYS.indexOf(record.why),
      isCloud: record.source === "cloud",
      isGap,
      macs: record.macs,
      level: status?.level ?? 0,
      skinCelsius: status?.skinCelsius ?? Number.NaN,
      watts: watts(status),
      reason: record.reason,
    };
    isGap = false;
    ring.push(row);
    fresh.decisions.push(row);
    if (fresh.decisions.length > DECISIONS_KEPT) fresh.decisions.shift();
  }

  function putAsk(row: AskRow, since: number): void {
    asks.delete(row.id);
    asks.set(row.id, { ...row, since });
    fresh.asks.set(row.id, row);
    if (asks.size > ASKS_KEPT) asks.delete(asks.keys().next().value!);
    if (fresh.asks.size > ASKS_KEPT) fresh.asks.delete(fresh.asks.keys().next().value!);
  }

  function onAsk(step: LoopStep & { readonly kind: "ask" }): void {
    const about = { id: step.id, seconds: timeOf(step.tick), label: indexOf(step.label), confidence: step.confidence };
    putAsk({ ...about, ...OPEN_ASK }, clock.now());
  }

  function onOutcome({ outcome, answer, local, use }: LoopStep & { readonly kind: "outcome" }): void {
    endAsk(outcome, { label: indexOf(local), confidence: outcome.local.confidenceQ15 / 32768 }, indexOf(answer), use);
  }

  /** An ask about an alarm, as a row of the list of asks. */
  function onSuspicion({ id, state, tick, label, probability, outcome }: LoopStep & { readonly kind: "suspicion" }): void {
    const about = { label: indexOf(label), confidence: probability };
    if (state === "asked" && id !== undefined) putAsk({ ...about, id, seconds: timeOf(tick), ...OPEN_ASK }, clock.now());
    if (outcome !== undefined) endAsk(outcome, about, outcome.answer?.label ?? -1, state);
  }

  function endAsk(outcome: AskOutcome, about: Pick<AskRow, "label" | "confidence">, answer: number, use: AskRow["use"]): void {
    const before = asks.get(outcome.id);
    const { id, state, latencyMillis, reason = "" } = outcome;
    const row: AskRow = {
      ...about,
      ...{ id, seconds: before?.seconds ?? seconds, state, answer, answerConfidence: outcome.answer?.confidence ?? 0 },
      ...{ millis: latencyMillis, use, reason },
    };
    putAsk(row, before?.since ?? clock.now());
  }

  /** Tries of an outage are one event. */
  function isNewLink(state: LinkRow["state"]): boolean {
    const isNew = state !== "connecting" && state !== toldLink;
    if (isNew) toldLink = state;
    return isNew;
  }

  function addEvent(kind: string, text: string): void {
    const row = { seconds, kind, text: textWithoutSecrets(text).slice(0, 400) };
    for (const list of [events, fresh.events]) {
      list.push(row);
      if (list.length > EVENTS_KEPT) list.shift();
    }
  }

  function status(): RunStatus {
    const open = [...asks.values()].filter(({ state }) => state === "open").map(({ since }) => since);
    const { at, ...row } = link;
    const counters = loop()?.counters() ?? NO_COUNTERS;
    return {
      phase,
      seconds,
      speed: Number.isFinite(pace.speed) ? pace.speed : 0,
      isPaused: pace.isPaused,
      isBrokerUp: options.isBrokerUp(),
      counters,
      power: power?.() ?? null,
      link: { ...row, retryMillis: row.retryMillis < 0 ? -1 : Math.max(0, Math.round(row.retryMillis - (clock.now() - at))) },
      oldestAskMillis: open.length === 0 ? -1 : Math.round(clock.now() - Math.min(...open)),
      warning: counters.sensorFaults.length === 0 ? "" : sensorText(counters.sensorFaults),
    };
  }

  function flush(): void {
    cancel();
    isDue = false;
    const { decisions, asks: changed, events: told, samples } = fresh;
    fresh = nothing();
    options.send("frame", {
      ...(decisions.length > 0 && { decisions }),
      ...(changed.size > 0 && { asks: [...changed.values()] }),
      ...(told.length > 0 && { events: told }),
      ...(samples > 0 && { signals: signals.last(samples) }),
      status: status(),
    });
    if (phase !== "done") cancel = clock.after(STATUS_MILLIS, flush);
  }

  function refresh(): void {
    if (isDue) return;
    isDue = true;
    cancel();
    cancel = clock.after(FRAME_MILLIS, flush);
  }

  cancel = clock.after(STATUS_MILLIS, flush);
  return {
    onStep(step) {
      switch (step.kind) {
        case "decision":
          onDecision(step.record);
          break;
        case "ask":
          onAsk(step);
          break;
        case "outcome":
          onOutcome(step);
          break;
        case "suspicion":
          onSuspicion(step);
          break;
        case "link":
          link = { state: step.state, detail: textWithoutSecrets(step.detail ?? ""), retryMillis: step.retryMillis ?? -1, at: clock.now() };
          break;
        case "gap":
          isGap = true;
          break;
      }
      const isListed = step.kind === "link" ? isNewLink(step.state) : step.kind !== "ask" && step.kind !== "outcome";
      const text = isListed ? stepText(step, { agent, labels }, false) : undefined;
      if (text !== undefined) addEvent(step.kind, text);
      refresh();
    },
    phase(next) {
      phase = next;
      refresh();
    },
    close() {
      phase = "done";
      flush();
    },
    hello() {
      if (isDue || fresh.samples > 0) flush(); // what follows is new to this page, too
      return {
        info,
        decisions: ring.snapshot(),
        asks: [...asks.values()].map(({ since: _, ...row }) => row),
        events,
        signals: signals.last(Math.ceil(SIGNAL_SECONDS_KEPT * signalRateHz)),
        status: status(),
      };
    },
    tap: (sensor) => ({
      ...sensor,
      async *[Symbol.asyncIterator]() {
        let count = 0;
        for await (const one of sensor) {
          if (count++ % every === 0) {
            signals.push(
              timeOf(one.tick),
              channels.map(({ countsPerUnit }, channel) => one.frame[channel]! / countsPerUnit),
            );
            fresh.samples++;
          }
          yield one;
        }
      },
    }),
    refresh,
  };
}

const OPEN_ASK = { state: "open", answer: -1, answerConfidence: 0, millis: 0, use: "", reason: "" } as const;

function nothing() {
  return { decisions: [], asks: new Map(), events: [], samples: 0 };
}

/** Before the loop is composed. */
const NO_COUNTERS: RunStatus["counters"] = {
  ...{
    decisions: 0,
    events: 0,
    exits: [],
    meanMacs: 0,
    frames: 0,
    gaps: 0,
    resets: 0,
    ignored: 0,
    applied: 0,
    anomalies: 0,
    withheld: 0,
    sensorFaults: [],
  },
  ...{ asked: 0, answered: 0, expired: 0, refused: 0, evicted: 0, pending: 0 },
  truth: { decisions: 0, localRight: 0, deviceRight: 0, shownRight: 0 },
};
