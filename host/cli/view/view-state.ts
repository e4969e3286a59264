import type { DecisionRecord, LoopCounters, LoopStep, SuspicionLoopStep } from "../../agent/loop-types.ts";
import type { Phase, ViewInfo } from "../../agent/run-view.ts";
import { sensorText, stepText } from "../../agent/step-text.ts";
import type { LinkState } from "../../mqtt/wire/ask.ts";
import type { GovernorStatus } from "../../policy/govern/governor-types.ts";

/** One decision on the ribbon. */
export interface RibbonCell {
  readonly label: string;
  readonly truth: string | undefined;
  readonly isSure: boolean;
  readonly isAsk: boolean;
}

/** The last question and what came of it. */
export interface LastAsk {
  readonly id: string;
  readonly tick: number; // of the unsure decision
  readonly label: string;
  readonly end?: "answered" | "expired" | "refused" | "evicted";
  readonly answer?: string | undefined;
  readonly answerConfidence?: number | undefined;
  readonly latencyMillis?: number;
  readonly reason?: string | undefined;
}

/** All that the screen shows. */
export interface ViewState {
  readonly info: ViewInfo;
  readonly seconds: number;
  readonly phase: Phase;
  readonly link: LinkState;
  readonly linkDetail: string | undefined;
  readonly decision: DecisionRecord | undefined;
  readonly ribbon: readonly RibbonCell[];
  readonly lastAsk: LastAsk | undefined;
  readonly suspicion: SuspicionLoopStep | undefined; // the last one
  readonly remark: string | undefined;
  readonly recent: readonly { readonly seconds: number; readonly text: string }[]; // steps worth a line, oldest first
  readonly counters: LoopCounters | undefined;
  readonly power: GovernorStatus | undefined;
}

const RIBBON_SECONDS = 60;
/** As many lines as a tall terminal has. */
const MOST_RECENT = 60;

/** Decisions that a minute holds. */
export function ribbonCells(info: ViewInfo): number {
  return Math.max(1, Math.round(RIBBON_SECONDS / info.hopSeconds));
}

export function startView(info: ViewInfo): ViewState {
  return {
    info,
    seconds: 0,
    phase: "running",
    link: "connecting",
    linkDetail: undefined,
    decision: undefined,
    ribbon: [],
    lastAsk: undefined,
    suspicion: undefined,
    remark: undefined,
    recent: [],
    counters: undefined,
    power: undefined,
  };
}

/** The state after a step of the loop. */
export function nextView(state: ViewState, step: LoopStep): ViewState {
  const text = stepText(step, state.info, false);
  const next = afterStep(state, step);
  return text === undefined ? next : { ...next, recent: [...state.recent, { seconds: state.seconds, text }].slice(-MOST_RECENT) };
}

function afterStep(state: ViewState, step: LoopStep): ViewState {
  switch (step.kind) {
    case "decision":
      return {
        ...state,
        decision: step.record,
        ribbon: [...state.ribbon, ribbonCell(step.record)].slice(-ribbonCells(state.info)),
      };
    case "ask":
      return { ...state, lastAsk: { id: step.id, tick: step.tick, label: step.label } };
    case "outcome": {
      const { outcome, answer, local } = step;
      const lastAsk: LastAsk = {
        id: outcome.id,
        tick: outcome.tick,
        label: local,
        end: outcome.state,
        answer,
        answerConfidence: outcome.answer?.confidence,
        latencyMillis: outcome.latencyMillis,
        reason: outcome.reason,
      };
      return { ...state, lastAsk };
    }
    case "suspicion":
      return { ...state, suspicion: step };
    case "event": {
      const { decision } = state;
      if (decision === undefined) return state;
      const ribbon = state.ribbon.map((cell, i) => (i === state.ribbon.length - 1 ? { ...cell, label: step.label } : cell));
      return { ...state, ribbon, decision: { ...decision, shown: step.label, source: step.source } };
    }
    case "link":
      return { ...state, link: step.state, linkDetail: step.detail };
    case "gap":
      return {
        ...state,
        remark: step.isReset ? "frames were lost: the model's state was reset" : "a few frames were lost: the last one was held",
      };
    case "sensor-fault":
      return { ...state, remark: sensorText(step.faults) };
    case "anomaly":
      return { ...state, remark: step.error.message };
  }
}

function ribbonCell({ label, shown, truth, why }: DecisionRecord): RibbonCell {
  return { label: shown ?? label, truth, isSure: why === "exit", isAsk: why === "ask" };
}
