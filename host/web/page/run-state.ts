import { DecisionRing } from "../decision-ring.ts";
import type { AskRow, EventRow, RunFrame, RunHello, RunInfo, RunStatus } from "../messages.ts";
import { SignalRing } from "../signal-ring.ts";

const DECISIONS_KEPT = 16_384;
const SIGNAL_SECONDS_KEPT = 900;
const LISTED = 200;

/** Seconds that the ribbon and the charts show. */
export const WINDOWS = { "2 min": 120, "15 min": 900, all: Number.POSITIVE_INFINITY } as const;
const LEAST_SPAN_SECONDS = 30;

/** Everything that the page knows of the run, and where in it the reader is. All of it is bounded. */
export class RunState {
  info: RunInfo;
  status: RunStatus;
  readonly ring = new DecisionRing(DECISIONS_KEPT);
  readonly signals: SignalRing;
  asks: AskRow[] = []; // oldest first
  events: EventRow[] = [];
  /** Seconds that the reader looks at; undefined: now. */
  position: number | undefined;
  windowSeconds: number = WINDOWS["2 min"];

  constructor(hello: RunHello) {
    const { info, decisions, asks, events, signals, status } = hello;
    this.info = info;
    this.status = status;
    this.signals = new SignalRing(info.channels.length, info.signalRateHz, Math.ceil(SIGNAL_SECONDS_KEPT * info.signalRateHz));
    this.ring.load(decisions);
    this.asks = [...asks];
    this.events = [...events];
    this.signals.append(signals);
  }

  apply({ decisions = [], asks = [], events = [], signals, status }: RunFrame): void {
    for (const row of decisions) this.ring.push(row);
    for (const row of asks) {
      const at = this.asks.findLastIndex(({ id }) => id === row.id);
      if (at < 0) this.asks.push(row);
      else this.asks[at] = row;
    }
    this.asks.splice(0, Math.max(0, this.asks.length - LISTED));
    this.events.push(...events);
    this.events.splice(0, Math.max(0, this.events.length - LISTED));
    if (signals !== undefined) this.signals.append(signals);
    this.status = status;
  }

  /** The time of the first and the last decision. */
  get first(): number {
    return this.ring.length === 0 ? 0 : this.ring.number("seconds", 0);
  }

  get last(): number {
    return this.ring.length === 0 ? 0 : this.ring.number("seconds", this.ring.length - 1);
  }

  /** The time that the reader looks at. */
  get at(): number {
    return this.position ?? Math.max(this.last, this.status.seconds);
  }

  /** The decision that the reader looks at; −1: there is none yet. */
  get index(): number {
    return this.position === undefined ? this.ring.length - 1 : this.ring.indexAt(this.position);
  }

  /** The stretch of time on the ribbon and the charts. */
  get range(): readonly [from: number, to: number] {
    const from = Math.max(0, this.first - this.info.hopSeconds, this.at - this.windowSeconds);
    return [from, Math.max(this.at, from + LEAST_SPAN_SECONDS)];
  }

  labelText(label: number): string {
    return this.info.labels[label] ?? "unknown";
  }
}
