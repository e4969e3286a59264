import type { Decision, PushResult, SetPoint } from "../core/session/session-types.ts";
import { ModelError } from "../core/system/errors.ts";
import type { Asker } from "../mqtt/asks/asker-types.ts";
import type { Presence } from "../mqtt/asks/presence.ts";
import type { AskOutcome, LinkState } from "../mqtt/wire/ask.ts";
import type { AskPurpose } from "../policy/govern/may-ask.ts";
import { isSameSetPoint, orderedSetPoint } from "../policy/govern/set-point-order.ts";
import { isCloudSurer } from "../policy/govern/word.ts";
import { LoopAsks } from "./loop-asks.ts";
import type { DecisionRecord, Loop, LoopCounters, LoopOptions, LoopStep } from "./loop-types.ts";
import { reasonText } from "./reason.ts";
import { sensorFaultNames } from "./sensor-fault.ts";
import type { SensorFrame } from "./sensors/sensor.ts";
import { type LabelChange, ShownLabel } from "./shown-label.ts";
import { SuspicionWatch } from "./suspicion-watch.ts";
import { TruthScore } from "./truth-score.ts";

/** Device seconds between two telemetry messages, if not said otherwise. */
const TELEMETRY_SECONDS = 60;
const NO_ASKS = { asked: 0, answered: 0, expired: 0, refused: 0, evicted: 0, pending: 0 };

/** Makes the loop sense → step → decision → event or ask. Decisions never wait for the network. */
export function createLoop(options: LoopOptions): Loop {
  return new AgentLoop(options);
}

class AgentLoop implements Loop {
  readonly asker: Asker | undefined;
  readonly #options: LoopOptions;
  readonly #shown: ShownLabel;
  readonly #suspicions: SuspicionWatch | undefined;
  readonly #alone: ShownLabel; // as it would be if no ask were ever answered: the other side of "with the cloud / without"
  readonly #log: DecisionRecord[] = [];
  readonly #exits: number[];
  readonly #score: TruthScore;
  readonly #counts = { decisions: 0, events: 0, macs: 0, frames: 0, gaps: 0, resets: 0, ignored: 0, applied: 0, anomalies: 0, withheld: 0 };
  readonly #asks: LoopAsks;
  #link: LinkState = "connecting";
  #sensorFaults = 0; // FAULT_ bits that stand
  readonly #audits = new Map<string, { readonly isUnsure: boolean }>(); // pending; isUnsure: the model was unsure, too
  #setPoint: SetPoint;
  #ordered: Partial<SetPoint> = {};
  #nextTelemetryFrame: number;
  #wakeUp: (() => void) | undefined; // a run that waits for room among the pending asks

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#asks = new LoopAsks(options, () => this.asker);
    this.#score = new TruthScore(options.model.labels, options.alarm, options.rateHz);
    this.#exits = new Array<number>(options.model.nExits).fill(0);
    const { stableDecisions, holdSeconds, rateHz, model } = options;
    const steady = { stableDecisions, isSmoothed: model.isSmoothed ?? false, holdFrames: holdSeconds * rateHz };
    this.#shown = new ShownLabel(steady);
    this.#alone = new ShownLabel(steady);
    this.#suspicions = this.#openSuspicions();
    this.#nextTelemetryFrame = this.#telemetryFrames;
    this.asker = options.connect?.({
      onOutcome: (outcome) => this.#onOutcome(outcome),
      onLinkState: (state, detail, retryMillis) => this.#onLink(state, detail, retryMillis),
      onAnomaly: (error) => {
        this.#counts.anomalies++;
        this.#tell({ kind: "anomaly", error });
      },
    });
    this.#setPoint = this.#wanted();
    options.session.setPoint(this.#setPoint);
  }

  get label(): string | undefined {
    return this.#isWithheld ? undefined : this.#name(this.#display.label);
  }

  /** No label is shown of a sensor that cannot be right. A suspicion is followed all the same: it may be an alarm. */
  get #isWithheld(): boolean {
    return this.#sensorFaults !== 0 && this.#suspicions === undefined;
  }

  get #display(): ShownLabel | SuspicionWatch {
    return this.#suspicions ?? this.#shown;
  }

  setPoint(): SetPoint {
    return this.#setPoint;
  }

  order(setPoint: Partial<SetPoint>): string | undefined {
    const { nExits } = this.#options.model;
    const given = setPoint.thresholds?.length ?? 0;
    if (given > nExits) return `${given} thresholds were given, and the model has ${nExits} exits`;
    const before = this.#ordered;
    this.#ordered = setPoint;
    try {
      this.#steer();
      return undefined;
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      this.#ordered = before;
      this.#options.session.setPoint(this.#setPoint);
      return error.message;
    }
  }

  async run(): Promise<void> {
    const { session, frames, governor, signal, maxPending = Number.POSITIVE_INFINITY } = this.#options;
    signal?.addEventListener("abort", () => this.#goOn(), { once: true });
    for await (const frame of frames) {
      this.#counts.frames++;
      if (governor !== undefined && !governor.admits(frame.tick)) continue;
      const result = session.pushFrame(frame.frame, frame.tick);
      this.#asks.gather(frame.frame, result);
      if (result.held || result.reset || result.ignored) this.#onLoss(result, frame.tick);
      this.#suspicions?.advance(frame.tick);
      if (result.decision !== undefined) this.#onDecision(result.decision, frame);
      if (maxPending === Number.POSITIVE_INFINITY) continue;
      while (!signal?.aborted && this.#link === "online" && (this.asker?.counts().pending ?? 0) > maxPending) {
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve;
        });
      }
    }
  }

  finish(): void {
    this.#suspicions?.finish();
    this.#score.alarms?.finish();
  }

  counters(): LoopCounters {
    const { macs, ...counts } = this.#counts;
    const { asked, answered, expired, refused, evicted, pending } = this.asker?.counts() ?? NO_ASKS;
    const meanMacs = counts.decisions === 0 ? 0 : Math.round(macs / counts.decisions);
    const asks = { asked, answered, expired, refused, evicted, pending };
    const suspicions = this.#suspicions && { suspicions: this.#suspicions.counts() };
    const sensorFaults = sensorFaultNames(this.#sensorFaults);
    return { ...counts, sensorFaults, ...asks, ...suspicions, exits: [...this.#exits], meanMacs, truth: this.#score.counts() };
  }

  lost(): number {
    return this.#asks.lost();
  }

  log(): readonly DecisionRecord[] {
    return this.#log;
  }

  #steer(): void {
    const wanted = this.#wanted();
    if (isSameSetPoint(wanted, this.#setPoint)) return;
    this.#options.session.setPoint(wanted);
    this.#setPoint = wanted;
  }

  /** What the core may do next: it asks when it is unsure, if it may. */
  #wanted(): SetPoint {
    const { model, intervalHops, setPoint, governor } = this.#options;
    const askAllowed = this.#mayAsk("unsure");
    const link = this.asker && this.#link;
    const own: SetPoint = {
      maxExit: model.nExits - 1,
      hopPatches: model.hopPatches,
      askAllowed,
      limitReason: "none",
      askIntervalHops: intervalHops,
      thresholds: new Array<number>(model.nExits).fill(0), // the core never goes below the certified ones
      ...setPoint,
    };
    return orderedSetPoint(own, this.#ordered, governor?.setPoint({ canAsk: askAllowed, link }));
  }

  #mayAsk(purpose: AskPurpose): boolean {
    return this.#asks.mayAsk(purpose, this.#log.at(-1)?.tick ?? 0, {
      link: this.asker && this.#link,
      isOrderedOff: this.#ordered.askAllowed === false,
      isOpen: this.#suspicions !== undefined || this.#shown.isAsked,
    });
  }

  #onDecision(decision: Decision, { truth }: SensorFrame): void {
    const { model, logEntries = 256 } = this.#options;
    const link = this.asker && this.#link;
    this.#judge();
    this.#score.alarms?.see(decision.tick, truth);
    this.#counts.decisions++;
    this.#counts.macs += decision.macs;
    this.#exits[decision.exit]!++;
    this.#watchSensor(decision);
    const { governor } = this.#options;
    const limited = governor?.reason;
    governor?.onDecision(decision);
    const isAudit = this.#sensorFaults === 0 && this.#mayAsk("audit") && (governor?.isAudit(decision) ?? false);
    const isSent = (decision.why === "ask" || isAudit) && this.#ask(decision, isAudit);
    const isAsked = decision.why === "ask" && isSent;
    const isSure = decision.why === "exit";
    const steps = this.#suspicions?.decide(decision, this.#maySuspect);
    const change =
      steps === undefined && !this.#isWithheld
        ? this.#shown.decide({ label: decision.label, isSure, isAsked, isOnline: link === "online", tick: decision.tick })
        : undefined;
    const suspicion = this.#suspicions && (this.#suspicions.standing ?? "none");
    const alone = this.#isWithheld
      ? undefined
      : this.#alone.decide({ label: decision.label, isSure, isAsked: false, isOnline: false, tick: decision.tick });
    if (alone && this.#name(alone.label) === this.#options.alarm) this.#score.alarms?.hear("device", alone.tick);
    const record: DecisionRecord = {
      tick: decision.tick,
      label: this.#name(decision.label)!,
      confidence: decision.confidenceQ15 / 32768,
      exit: decision.exit,
      why: decision.why,
      macs: decision.macs,
      rebuilds: decision.rebuilds,
      shown: this.label,
      source: this.#display.source,
      truth,
      reason: `${reasonText(decision, model.nExits, link, this.#shown, isAsked, suspicion)}${limited === undefined ? "" : `; ${limited}`}`,
    };
    this.#log.push(record);
    if (this.#log.length > logEntries) this.#log.shift();
    this.#tell({ kind: "decision", record });
    if (change !== undefined) this.#event(change, record.confidence);
    this.#suspicions?.take(steps ?? []);
    this.#steer();
    if (this.#counts.frames >= this.#nextTelemetryFrame) this.#telemetry();
  }

  /** Whether an answer can come: there was something to send, and it was not turned away. */
  #ask(decision: Decision, isAudit: boolean): boolean {
    const { label, confidenceQ15, tick } = decision;
    const id = this.#asks.send(decision, this.#options.deadlineSeconds);
    if (id === undefined) return false;
    const isUnsure = decision.why === "ask";
    const isPending = this.#asks.isPending(id);
    if (isPending) {
      this.#options.learner?.asked(id);
      if (isAudit) this.#audits.set(id, { isUnsure });
    }
    if (isUnsure) this.#tell({ kind: "ask", id, tick, label: this.#name(label)!, confidence: confidenceQ15 / 32768 });
    return isPending;
  }

  #openSuspicions(): SuspicionWatch | undefined {
    const { suspicion: rule, stableDecisions, rateHz, model } = this.#options;
    return (
      rule &&
      new SuspicionWatch({
        rule,
        stableDecisions,
        isSmoothed: model.isSmoothed,
        label: this.#name(rule.label)!,
        ask: (decision) => {
          const id = this.#maySuspect ? this.#asks.send(decision, rule.deadlineFrames / rateHz) : undefined;
          return id !== undefined && this.#asks.isPending(id) ? id : undefined;
        },
        onChange: (change) => this.#event(change, change.confidence),
        onStep: (step) => this.#tell(step),
      })
    );
  }

  /** An ask about a suspicion could go and be answered now. */
  get #maySuspect(): boolean {
    return this.#link === "online" && this.#mayAsk("suspicion") && this.#options.governor?.askPatches() !== 0;
  }

  #onOutcome(outcome: AskOutcome): void {
    const { answer, local, tick } = outcome;
    const audit = this.#audits.get(outcome.id);
    this.#audits.delete(outcome.id);
    this.#options.learner?.ended(outcome.id, answer);
    const disagreement = answer && (answer.label === local.label ? 1 - answer.confidence : answer.confidence);
    this.#options.governor?.onOutcome({ isAudit: audit !== undefined, label: local.label, disagreement });
    if (this.#suspicions?.onOutcome(outcome)) {
      if (answer !== undefined) this.#counts.applied++;
      this.#steer();
      this.#goOn();
      return;
    }
    if (audit?.isUnsure === false) {
      this.#goOn();
      return;
    }
    const isOwn = this.#asks.isOwn(outcome.id);
    const isSurer = answer !== undefined && isCloudSurer(answer.confidence, local.confidenceQ15);
    const word = answer && { label: answer.label, localLabel: local.label, tick, isKept: !isSurer && answer.label !== local.label };
    const used = word && isOwn ? this.#shown.answer(word) : undefined;
    if (answer === undefined && isOwn) this.#shown.noAnswer(tick);
    if (used?.use === "applied" || used?.use === "confirmed") this.#counts.applied++;
    const use = used?.use ?? (answer === undefined ? "none" : "superseded");
    this.#tell({ kind: "outcome", outcome, local: this.#name(local.label)!, answer: this.#name(answer?.label), use });
    if (answer !== undefined && used?.change !== undefined)
      this.#event(used.change, isSurer ? answer.confidence : local.confidenceQ15 / 32768);
    this.#steer();
    this.#goOn();
  }

  #onLink(state: LinkState, detail: string | undefined, retryMillis: number | undefined): void {
    this.#link = state;
    if (state !== "online") this.#shown.stopWaiting();
    this.#tell({ kind: "link", state, detail, retryMillis });
    this.#goOn();
  }

  #onLoss(result: PushResult, tick: number): void {
    if (result.ignored) this.#counts.ignored++;
    if (result.held) this.#counts.gaps++;
    if (result.reset) {
      this.#counts.resets++;
      this.#options.governor?.onReset();
      this.#shown.reset();
      this.#suspicions?.reset();
      this.#alone.reset();
      this.#steer();
    }
    if (result.held || result.reset) this.#tell({ kind: "gap", tick, isReset: result.reset });
  }

  /** Tells when the sensor becomes implausible, and when it is plausible again. */
  #watchSensor({ sensorFaults = 0, tick }: Decision): void {
    if (sensorFaults !== 0) this.#counts.withheld++;
    if (sensorFaults === this.#sensorFaults) return;
    this.#sensorFaults = sensorFaults;
    const faults = sensorFaultNames(sensorFaults);
    this.asker?.event(this.#options.agent, { sensorFaults: faults, tick });
    this.#tell({ kind: "sensor-fault", tick, faults });
  }

  #event(change: LabelChange, confidence: number): void {
    const { agent } = this.#options;
    const label = this.#name(change.label)!;
    const before = this.#name(change.before);
    const { source, tick } = change;
    this.#counts.events++;
    const told = { label, ...(before === undefined ? {} : { before }), confidence, source, tick };
    if (label === this.#options.alarm) {
      this.#score.alarms?.hear("shown", tick);
      this.asker?.alarm(agent, told);
    } else this.asker?.event(agent, told);
    this.asker?.report(this.presence());
    this.#tell({ kind: "event", tick, label, before, source, confidence });
  }

  #telemetry(): void {
    this.#nextTelemetryFrame = this.#counts.frames + this.#telemetryFrames;
    const presence = this.presence();
    this.asker?.telemetry({ ...this.counters(), ...presence });
    this.asker?.report(presence);
  }

  presence(): Presence {
    const { about, agent, governor, telemetrySeconds = TELEMETRY_SECONDS } = this.#options;
    const { stateOfCharge, skinCelsius, level } = governor?.status?.() ?? {};
    return {
      ...about,
      agent,
      exits: [...this.#exits],
      reportSeconds: telemetrySeconds,
      ...(this.label === undefined ? {} : { label: this.label }),
      ...(stateOfCharge === undefined ? {} : { batteryPercent: Math.round(1000 * stateOfCharge) / 10 }),
      ...(skinCelsius === undefined ? {} : { skinCelsius: Math.round(100 * skinCelsius) / 100 }),
      ...(level === undefined ? {} : { level }),
    };
  }

  /** Scores the previous decision one hop later, when its answer has had time to arrive: the model's label, the device's and the shown one. */
  #judge(): void {
    const before = this.#log.at(-1);
    if (before !== undefined)
      this.#score.judge(before.truth, { local: before.label, device: this.#name(this.#alone.label), shown: this.label });
  }

  get #telemetryFrames(): number {
    return (this.#options.telemetrySeconds ?? TELEMETRY_SECONDS) * this.#options.rateHz;
  }

  #name(label: number | undefined): string | undefined {
    return label === undefined ? undefined : (this.#options.model.labels[label] ?? `label ${label}`);
  }

  #goOn(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }

  #tell(step: LoopStep): void {
    this.#options.onStep?.(step);
  }
}
