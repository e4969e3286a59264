import { elapsedText, percentText } from "../../core/system/table.ts";
import { POWER_PARTS } from "../messages.ts";
import { byId, create, setAttribute, setText } from "./dom.ts";
import type { RunState } from "./run-state.ts";
import { labelColour, labelVariable, theme } from "./theme.ts";

const canvas = byId<HTMLCanvasElement>("ribbon");
const TOP = 18; // of the label band, below the marks of asks
const AXIS = 20;
const TRUTH = 16;
const GAP = 3;
const LEAST_OPACITY = 0.18;
const TICK_SECONDS = [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400];

/** Draws labels, truth, misses, asks, gaps and degradation over time, and the cursor. */
export function drawRibbon(run: RunState, cursor: number | undefined): void {
  const ratio = devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const draw = canvas.getContext("2d")!;
  draw.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw.clearRect(0, 0, width, height);
  const [from, to] = run.range;
  const x = (seconds: number): number => ((seconds - from) / (to - from)) * width;
  const foot = height - AXIS;
  const truthTop = foot - TRUTH;
  const labelFoot = truthTop - GAP;
  const { ring, info } = run;
  const first = Math.max(0, ring.indexAt(from));
  const last = ring.indexAt(to);
  let drawnTo = Number.NEGATIVE_INFINITY;
  for (let i = first; i <= last; i++) {
    const end = x(ring.number("seconds", i));
    if (end - drawnTo < 0.5) continue; // narrower than half a pixel: the one before stands for it
    const isGap = ring.number("isGap", i) === 1;
    const before = i > 0 ? ring.number("seconds", i - 1) : 0;
    const start = Math.max(
      x(isGap ? ring.number("seconds", i) - info.hopSeconds : Math.max(before, ring.number("seconds", i) - 3 * info.hopSeconds)),
      0,
    );
    drawnTo = end;
    const wide = Math.max(1, end - start - (end - start > 5 ? 1 : 0));
    const shown = ring.number("shown", i) < 0 ? ring.number("label", i) : ring.number("shown", i);
    const truth = ring.number("truth", i);
    draw.globalAlpha = LEAST_OPACITY + (1 - LEAST_OPACITY) * ring.number("confidence", i) ** 3;
    draw.fillStyle = labelColour(shown);
    draw.fillRect(start, TOP, wide, labelFoot - TOP);
    draw.globalAlpha = 1;
    const level = ring.number("level", i);
    if (level > 0) {
      draw.fillStyle = theme.warn;
      draw.fillRect(start, TOP - 3, wide, 2 + level / 2);
    }
    if (truth >= 0) {
      draw.fillStyle = labelColour(truth);
      draw.fillRect(start, truthTop, wide, TRUTH - 6);
      if (truth !== shown && info.alarm === undefined) {
        draw.fillStyle = theme.limit;
        draw.fillRect(start, foot - 4, wide, 3);
      }
    }
    if (isGap) {
      draw.fillStyle = theme.soft;
      draw.fillRect(x(ring.number("seconds", i) - info.hopSeconds) - 2, TOP, 1.5, labelFoot - TOP);
    }
  }
  drawAsks(draw, run, x, width);
  drawAxis(draw, from, to, x, foot, width);
  if (cursor !== undefined && cursor >= from && cursor <= to) line(draw, x(cursor), height, theme.ink, [2, 2]);
  if (run.position !== undefined) line(draw, Math.min(width - 1, x(run.position)), height, theme.limit, []);
  const now = run.index < 0 ? "nothing yet" : run.labelText(ring.row(run.index).shown);
  setAttribute(canvas, "aria-label", `Labels over the last ${elapsedText(to - from)}; at the end: ${now}`);
}

function line(draw: CanvasRenderingContext2D, at: number, height: number, colour: string, dash: number[]): void {
  draw.strokeStyle = colour;
  draw.setLineDash(dash);
  draw.beginPath();
  draw.moveTo(at, 2);
  draw.lineTo(at, height - AXIS);
  draw.stroke();
  draw.setLineDash([]);
}

/** Filled: answered; a ring: open; a cross: refused, expired or evicted. */
function drawAsks(draw: CanvasRenderingContext2D, run: RunState, x: (seconds: number) => number, width: number): void {
  draw.lineWidth = 1.6;
  for (const { seconds, state } of run.asks) {
    const at = x(seconds);
    if (at < 0 || at > width) continue;
    const isBad = state !== "answered" && state !== "open";
    draw.strokeStyle = draw.fillStyle = isBad ? theme.limit : theme.warn;
    draw.beginPath();
    if (isBad) {
      draw.moveTo(at - 3.5, 4);
      draw.lineTo(at + 3.5, 11);
      draw.moveTo(at + 3.5, 4);
      draw.lineTo(at - 3.5, 11);
      draw.stroke();
    } else {
      draw.arc(Math.min(width - 5, Math.max(5, at)), 7.5, 4, 0, 2 * Math.PI);
      if (state === "open") draw.stroke();
      else draw.fill();
    }
  }
  draw.lineWidth = 1;
}

function drawAxis(
  draw: CanvasRenderingContext2D,
  from: number,
  to: number,
  x: (seconds: number) => number,
  foot: number,
  width: number,
): void {
  const most = Math.max(2, Math.floor(width / 90));
  const step = TICK_SECONDS.find((one) => (to - from) / one <= most) ?? 86_400;
  draw.font = "12px system-ui, sans-serif";
  draw.fillStyle = theme.soft;
  draw.textAlign = "center";
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    if (x(at) < 14 || x(at) > width - 16) continue;
    draw.fillRect(x(at), foot, 1, 4);
    draw.fillText(elapsedText(at), x(at), foot + 16);
  }
}

/** Which colour is which label, and what the marks mean. */
export function drawLegend({ info }: RunState): void {
  const items = info.labels.map((name, label) => {
    const item = create("li");
    const swatch = create("i");
    swatch.style.setProperty("--s", labelVariable(label));
    const text = create("span", name);
    text.title = name;
    item.append(swatch, text);
    return item;
  });
  if (info.hasBroker)
    for (const [mark, text] of [
      ["●", "asked, answered"],
      ["○", "waiting"],
    ] as const) {
      const item = create("li");
      item.append(create("b", mark, "mark"), create("span", text));
      items.push(item);
    }
  byId("legend").replaceChildren(...items);
}

/** What was at the cursor, or at the time that the reader looks at, in one line. */
export function drawReadout(run: RunState, cursor: number | undefined): void {
  const at = cursor === undefined ? run.index : run.ring.indexAt(cursor);
  setText(byId("readout"), at < 0 ? "" : readoutText(run, at));
}

function readoutText(run: RunState, at: number): string {
  const row = run.ring.row(at);
  const shown = row.shown < 0 ? row.label : row.shown;
  const milliwatts = row.watts.reduce((sum, part) => sum + part, 0) * 1000;
  const parts = [
    elapsedText(row.seconds),
    `${run.labelText(shown)} ${percentText(row.confidence)}`,
    ...(row.truth < 0 || row.truth === shown ? [] : [`in truth ${run.labelText(row.truth)}`]),
    `exit ${row.exit + 1} of ${run.info.nExits}`,
    ...(Number.isFinite(milliwatts) && row.watts.length === POWER_PARTS.length ? [`${milliwatts.toPrecision(3)} mW`] : []),
    row.reason,
  ];
  return parts.join(" · ");
}

/** The time below the pointer: hovering moves the cursor, a click looks there. */
export function watchRibbon(
  run: () => RunState | undefined,
  onCursor: (seconds: number | undefined) => void,
  onPick: (seconds: number) => void,
): void {
  const secondsOf = (event: MouseEvent): number | undefined => {
    const state = run();
    if (state === undefined) return undefined;
    const [from, to] = state.range;
    return from + (event.offsetX / canvas.clientWidth) * (to - from);
  };
  canvas.addEventListener("pointermove", (event) => onCursor(secondsOf(event)));
  canvas.addEventListener("pointerleave", () => onCursor(undefined));
  canvas.addEventListener("click", (event) => {
    const seconds = secondsOf(event);
    if (seconds !== undefined) onPick(seconds);
  });
}
