import type { Line } from "../view/paint.ts";
import { AMBER, GREEN, LABEL_COLOURS, paintLine } from "../view/paint.ts";
import type { CaptureSession } from "./capture-session.ts";
import type { MeasuredRate } from "./rate-meter.ts";

/** What the screen shows of a capture. */
export interface CaptureState {
  readonly title: string;
  readonly path: string;
  readonly session: Pick<CaptureSession, "phase" | "label" | "countdown" | "samples">;
  readonly rate: MeasuredRate | undefined;
  readonly rateHz: number; // that times are written with
  readonly values: readonly string[]; // the last sample, a text per channel
  /** The last remark, of the sensor or of a key. */
  readonly remark: string;
  /** Lines in place of all else: how to connect. None: the capture is shown. */
  readonly banner: readonly string[];
}

/** 50.02 ± 0.01 Hz is no claim that a beat makes: the rate, and by how much arrivals stray from it. */
export function rateText(rate: MeasuredRate | undefined): string {
  return rate === undefined ? "no frames yet" : `${rate.hz.toFixed(1)} frames per second, arrivals ± ${rate.jitterMillis.toFixed(1)} ms`;
}

/** What is being recorded, in a few words. */
export function phaseText({ phase, label, countdown }: CaptureState["session"]): string {
  if (phase === "waiting") return "press a label's key to begin";
  if (phase === "countdown") return `${label} in ${Math.ceil(countdown)} …`;
  return phase === "labelling" ? `recording ${label}` : "paused: recorded without a label";
}

/** The lines of the screen, each at most `columns` wide. */
export function captureLines(state: CaptureState, size: { readonly columns: number; readonly rows: number }, hasColour: boolean): string[] {
  const { session, rate, rateHz } = state;
  if (state.banner.length > 0 && state.banner.length < size.rows) return [...state.banner];
  const isOn = session.phase === "labelling";
  const labels = [...session.samples()].map(([label, samples], i): Line => {
    const isChosen = label === session.label && (isOn || session.phase === "countdown");
    const colour = LABEL_COLOURS[i % LABEL_COLOURS.length]!;
    return [
      [`  ${i + 1}  `, "dim"],
      [`${isChosen ? "▸" : " "} ${label}`, ...(isChosen ? (["bold", colour] as const) : [colour])],
      [`  ${(samples / rateHz).toFixed(0)} s`],
    ];
  });
  const lines: Line[] = [
    [],
    [["  dormouse capture ", "bold"], [state.title]],
    [],
    [
      ["  ", "dim"],
      [phaseText(session), "bold", isOn ? GREEN : AMBER],
    ],
    [],
    ...labels,
    [],
    [["  rate    ", "dim"], [rateText(rate)]],
    [["  values  ", "dim"], [state.values.join("  ")]],
    [["  file    ", "dim"], [state.path]],
    ...(state.remark === ""
      ? []
      : [
          [
            ["  note    ", "dim"],
            [state.remark, AMBER],
          ] as Line,
        ]),
    [],
    [["  1–9 label · space pause · u undo 5 s · q end", "dim"]],
  ];
  const room = Math.max(1, size.rows - 1);
  const shown = lines.length <= room ? lines : lines.filter((line) => line.length > 0).slice(-room);
  return shown.map((line) => paintLine(line, size.columns, hasColour));
}
