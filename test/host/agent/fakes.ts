import type { LoopModel, LoopOptions, LoopStep } from "../../../host/agent/loop-types.ts";
import type { SensorFrame } from "../../../host/agent/sensors/sensor.ts";
import type { Decision, PushResult, Session, SetPoint } from "../../../host/core/session/session-types.ts";
import type { AskCounts, Asker, AskerEvents } from "../../../host/mqtt/asks/asker-types.ts";
import type { AskOutcome, AskQuery, AskState } from "../../../host/mqtt/wire/ask.ts";

export const LABELS = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"];

export const MODEL: LoopModel = {
  imageHash: "ab".repeat(32),
  labels: LABELS,
  nExits: 4,
  windowPatches: 32,
  hopPatches: 16,
  patchBytes: 24,
};

export function decision(over: Partial<Decision> = {}): Decision {
  const confidenceQ15 = over.why === "ask" || over.why === "deferred" ? 12000 : 32000;
  return { label: 0, exit: 0, confidenceQ15, why: "exit", tick: 0, patch: 1, macs: 1000, rebuilds: 0, steps: 1, ...over };
}

/** A session that says what its script says: one entry a frame; undefined = no decision. */
export class ScriptedSession implements Session {
  readonly engine = "scalar";
  readonly arenaBytes = 1024;
  readonly setPoints: SetPoint[] = [];
  readonly #script: readonly (Partial<Decision> | Partial<PushResult> | undefined)[];
  #at = 0;
  constructor(script: readonly (Partial<Decision> | Partial<PushResult> | undefined)[]) {
    this.#script = script;
  }
  reset(): void {}
  pushFrame(_frame: Int16Array, tick: number): PushResult {
    const entry = this.#script[this.#at++];
    const quiet = { patch: true, held: false, reset: false, ignored: false, decision: undefined };
    if (entry === undefined) return quiet;
    if ("held" in entry || "reset" in entry || "ignored" in entry) return { ...quiet, ...(entry as Partial<PushResult>) };
    return { ...quiet, decision: decision({ tick, ...(entry as Partial<Decision>) }) };
  }
  pushPatch(): PushResult {
    return { patch: true, held: false, reset: false, ignored: false, decision: undefined };
  }
  decide(): Decision {
    return decision();
  }
  logits(): Int16Array[] {
    return [];
  }
  features(): Int8Array {
    return new Int8Array(0);
  }
  setPoint(setPoint: SetPoint): void {
    this.setPoints.push(setPoint);
  }
  context(): Int8Array {
    return new Int8Array(24 * 3).fill(7);
  }
  snapshot(): Uint8Array {
    return new Uint8Array(0);
  }
  restore(): void {}
  setLda(): void {}
  opCount(): ReturnType<Session["opCount"]> {
    return { macs: 4000, requantize: 0, state: 0, lookup: 0, norm: 0, weightBytes: 0 };
  }
}

/** An asker whose other end is the test. */
export class FakeAsker implements Asker {
  linkState: Asker["linkState"] = "online";
  readonly queries: AskQuery[] = [];
  readonly told: Readonly<Record<string, unknown>>[] = [];
  readonly alarms: Readonly<Record<string, unknown>>[] = [];
  readonly telemetries: Readonly<Record<string, unknown>>[] = [];
  readonly events: AskerEvents;
  readonly #states = new Map<string, AskState>();
  constructor(events: AskerEvents) {
    this.events = events;
  }
  ask(query: AskQuery): string {
    const id = String(this.queries.length).padStart(32, "0");
    this.queries.push(query);
    this.#states.set(id, "pending");
    return id;
  }
  end(index: number, over: Partial<AskOutcome>): void {
    const id = String(index).padStart(32, "0");
    const query = this.queries[index]!;
    const outcome: AskOutcome = {
      id,
      state: "answered",
      agent: query.agent,
      tick: query.tick,
      local: query.local,
      latencyMillis: 34,
      ...over,
    };
    this.#states.set(id, outcome.state);
    this.events.onOutcome(outcome);
  }
  counts(): AskCounts {
    const of = (state: AskState): number => [...this.#states.values()].filter((one) => one === state).length;
    const ends = {
      answered: of("answered"),
      expired: of("expired"),
      refused: of("refused"),
      evicted: of("evicted"),
      pending: of("pending"),
    };
    return { asked: this.#states.size, ...ends, duplicateAnswers: 0, lateAnswers: 0, malformedAnswers: 0, unknownAnswers: 0 };
  }
  ledger(): ReadonlyMap<string, AskState> {
    return this.#states;
  }
  readonly reports: Readonly<Record<string, unknown>>[] = [];
  report(presence: Readonly<Record<string, unknown>>): void {
    this.reports.push(presence);
  }
  event(_agent: string, event: Readonly<Record<string, unknown>>): void {
    this.told.push(event);
  }
  alarm(_agent: string, event: Readonly<Record<string, unknown>>): string {
    this.alarms.push(event);
    return "0".repeat(32);
  }
  telemetry(values: Readonly<Record<string, unknown>>): void {
    this.telemetries.push(values);
  }
  stats(): ReturnType<Asker["stats"]> {
    const none = { connects: 0, sends: 0, resends: 0, postponed: 0, droppedEvents: 0, droppedTelemetry: 0 };
    const evictions = { full: 0, size: 0, age: 0, closed: 0, forgotten: 0, unreadable: 0, notDurable: 0 };
    const alarms = { raised: this.alarms.length, delivered: this.alarms.length, undelivered: 0, pending: 0 };
    const disk = { notDurable: 0, unrecorded: 0, outboxFailures: 0, outboxBytes: 0, recovered: 0, ledgerForgotten: 0 };
    return { ...none, ...disk, evictions, alarms, radioMillis: 0, breakerOpens: 0, takeovers: 0 };
  }
  forget(): number {
    return 0;
  }
  async sleep(): Promise<void> {}
  wake(): void {}
  async drain(): Promise<boolean> {
    return this.counts().pending === 0;
  }
  async close(): Promise<void> {}
}

/** Frames one after the other; `between` runs before each. */
export async function* frames(
  count: number,
  truths: readonly (string | undefined)[] = [],
  between?: (index: number) => void,
): AsyncGenerator<SensorFrame> {
  for (let i = 0; i < count; i++) {
    between?.(i);
    yield { tick: i, frame: new Int16Array(6), truth: truths[i] };
  }
}

/** Options of a loop over a script, and everything that it tells. */
export function loopOptions(
  script: readonly (Partial<Decision> | Partial<PushResult> | undefined)[],
  over: Partial<LoopOptions> = {},
): { options: LoopOptions; session: ScriptedSession; steps: LoopStep[] } {
  const session = new ScriptedSession(script);
  const steps: LoopStep[] = [];
  const options: LoopOptions = {
    agent: "activity",
    stableDecisions: 1,
    holdSeconds: 20,
    rateHz: 50,
    model: MODEL,
    session,
    frames: frames(script.length),
    intervalHops: 3,
    deadlineSeconds: 30,
    onStep: (step) => steps.push(step),
    ...over,
  };
  return { options, session, steps };
}
