import type { Ops } from "../../core/image/ops.ts";
import type { Model } from "../../core/session/model.ts";
import type { Board } from "../../power/board.ts";
import { type CoreKind, coreKinds, countCycles, cycleCosts, cyclesPerInstruction } from "../../power/cycle-costs.ts";
import { createOpsMeter } from "../../power/ops-meter.ts";
import type { MeasuredCosts } from "./fits-measure.ts";
import type { Work } from "./fits-report.ts";

/** Frames' worth of link bytes that every HAL's receive ring holds at least. */
const RING_FRAMES = 16;

/** What a model's work comes to on a board. */
export interface Costs {
  readonly window: Work;
  readonly worstHop: Work & { readonly limitSeconds: number };
  /** Seconds of a decision, a hop each, by the exit that answers in a steady stream. */
  readonly decisionSeconds: readonly number[];
  readonly hopSeconds: number;
  readonly note: string;
}

/** The kind of core whose figures stand for a board's. */
export function findCoreKind(board: Board): CoreKind {
  const name = board.power?.cycleCosts ?? board.cpu?.name ?? "cortex-a";
  const known = coreKinds.find((kind) => kind === name);
  if (known !== undefined) return known;
  return name === "cortex-m0"
    ? "cortex-m0plus"
    : name === "cortex-m55"
      ? "cortex-m33"
      : name.startsWith("cortex-m")
        ? "cortex-m4"
        : "cortex-a";
}

/** Cycles and seconds of a window, the worst frame and decisions: from measured costs, or from operation counts without them. */
export function computeCosts(model: Model, board: Board, measured: MeasuredCosts | undefined): Costs {
  const { image, manifest } = model;
  const kind = findCoreKind(board);
  const clockHz = board.power?.clockHz.value ?? board.clockHz;
  const perInstruction = cyclesPerInstruction[kind] ?? 1;
  const session = model.createSession();
  const last = image.exits.length - 1;
  const meter = createOpsMeter(image);
  const computedWindow = countCycles(session.opCount(last), cycleCosts[kind]);
  const computedWorst = countCycles(worstOps(model), cycleCosts[kind]);
  const cyclesIn = (cost: number): number => (measured?.unit === "instructions" ? cost * perInstruction : cost);
  const windowCycles = measured === undefined ? computedWindow : cyclesIn(measured.window);
  const work = (cost: number | undefined, computed: number): Work => {
    const cycles = Math.round(cost === undefined ? computed : cyclesIn(cost));
    return {
      instructions: measured?.unit === "instructions" ? cost : undefined,
      cycles,
      seconds: clockHz === undefined ? undefined : cycles / clockHz,
      basis: cost === undefined ? "computed" : "measured",
    };
  };
  // Operation counts give the ratio of a decision to a window; the measured cycles of the window scale it.
  const scale = windowCycles / computedWindow;
  const seconds = (ops: Ops): number => (clockHz === undefined ? Number.NaN : (countCycles(ops, cycleCosts[kind]) * scale) / clockHz);
  return {
    window: work(measured?.window, computedWindow),
    worstHop: { ...work(measured?.worst, computedWorst), limitSeconds: RING_FRAMES / manifest.frameRateHz },
    decisionSeconds: image.exits.map((_, exit) => seconds(meter.steady(exit, image.hopPatches))),
    hopSeconds: (image.hopPatches * image.patchFrames) / manifest.frameRateHz,
    note: noteOf(kind, measured, perInstruction),
  };
}

function noteOf(kind: CoreKind, measured: MeasuredCosts | undefined, perInstruction: number): string {
  if (measured === undefined) return `time from operation counts × costs of a ${kind}: ${cycleCosts[kind].source}`;
  const where = `${measured.unit} counted by ${measured.emulator} (${measured.on})`;
  return measured.unit === "cycles"
    ? `${where}: cycle model of the emulator, not silicon`
    : `${where}: exact counts; ${perInstruction} cycles per instruction assumed`;
}

/** Of the frame that completes a patch at which every ring is full. */
function worstOps({ image }: Model): Ops {
  const last = image.exits.length - 1;
  const meter = createOpsMeter(image);
  const full = meter.steady(last, image.ringPatches);
  const below = meter.steady(0, image.ringPatches - 1);
  return {
    macs: full.macs - below.macs,
    requantize: full.requantize - below.requantize,
    state: full.state - below.state,
    lookup: full.lookup - below.lookup,
    norm: full.norm - below.norm,
    weightBytes: full.weightBytes - below.weightBytes,
  };
}
