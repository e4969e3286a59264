import type { LoopStep } from "./loop-types.ts";

/** What does not change while an agent runs. */
export interface ViewInfo {
  readonly agent: string;
  readonly sensor: string;
  readonly speed: number;
  readonly rateHz: number;
  readonly labels: readonly string[];
  readonly nExits: number;
  readonly hopSeconds: number;
  readonly hopMacs: number; // multiply-accumulates of a hop at full depth
  readonly arenaBytes: number;
  readonly imageBytes: number;
  /** False: no broker was named, so nothing is ever asked. */
  readonly hasBroker: boolean;
  /** The label whose events are alarms: it is shown for a while after each, so labels are not marked as right or wrong. Left out: none. */
  readonly alarm?: string;
  /** The board that energy is priced as. Left out: nothing is governed. */
  readonly board?: string;
  /** Where the run is shown as a page. Left out: nowhere. */
  readonly pageUrl?: string;
}

export type Phase = "running" | "draining" | "done";

/** Something that shows a running agent: the live screen, a log or the page. */
export interface View {
  onStep(step: LoopStep): void;
  phase(phase: Phase): void;
  close(): void;
}

/** Several views as one. */
export function joinViews(...views: readonly View[]): View {
  return {
    onStep: (step) => {
      for (const view of views) view.onStep(step);
    },
    phase: (phase) => {
      for (const view of views) view.phase(phase);
    },
    close: () => {
      for (const view of views) view.close();
    },
  };
}
