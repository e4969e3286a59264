import { type AlarmTallies, tallyText } from "../../agent/alarm-tally.ts";
import type { TruthCounts } from "../../agent/truth-score.ts";
import { bytesText, countText, elapsedText, joinedToFit, percentText } from "../../core/system/table.ts";
import { bigLetters } from "./big-letters.ts";
import { AMBER, GREEN, type Line, measureWidth, paintLine, type Segment, spread } from "./paint.ts";
import { askLine, cloudLine } from "./render-cloud.ts";
import { budgetLine, powerLine, reasonLines } from "./render-power.ts";
import { labelColour, legend, ribbonLines, shownLabels } from "./render-ribbon.ts";
import type { ViewState } from "./view-state.ts";

export interface RenderOptions {
  readonly columns: number;
  readonly rows: number;
  readonly hasColour: boolean;
}

/** Columns of the rows' names: none if the terminal has fewer than the second number. */
const GUTTERS = [
  [9, 64],
  [7, 46],
] as const;
const NARROW_COLUMNS = 64;
/** The truth stands no farther right than this: the eye compares it with the label. */
const TRUTH_COLUMNS = 72;

/** Fewer free rows than this show nothing of what happened lately. */
const LEAST_LATELY = 4;
const NO_TRUTH: TruthCounts = { decisions: 0, localRight: 0, deviceRight: 0, shownRight: 0 };

const SAYS_WORTH = 7;
/** Of every label's name; of those that the ribbon shows it is the ribbon's own worth, which says nothing without them. */
const LEGEND_WORTH = 3;

/** A line and how dearly it is kept when the terminal is low: 0 goes first. */
interface Row {
  readonly line: Line;
  readonly worth: number;
}

/** The whole screen as lines, cut to the terminal: a pure function of the state. */
export function render(state: ViewState, options: RenderOptions): string[] {
  const most = options.rows - 1;
  const all = rowsOf(state, options, state.info.labels, LEGEND_WORTH);
  const isLow = all.filter(({ line }) => line.length > 0).length > most;
  const rows = isLow ? rowsOf(state, options, shownLabels(state), SAYS_WORTH) : all;
  return lowered(rows, most).map(({ line }) => paintLine([["  "], ...line], options.columns, options.hasColour));
}

/** The rows of a terminal of any height; the legend names the labels of `legendLabels`. */
function rowsOf(state: ViewState, options: RenderOptions, legendLabels: readonly string[], legendWorth: number): Row[] {
  const isNarrow = options.columns < NARROW_COLUMNS;
  const gutter = GUTTERS.find(([, least]) => options.columns >= least)?.[0] ?? 0;
  const width = options.columns - 4;
  const body = width - gutter;
  const rows: Row[] = [blank, ...headRows(state, width, isNarrow), blank, ...labelRows(state, width), blank];
  const put = (name: string, line: Line, worth: number): void => {
    rows.push({ line: gutter === 0 ? line : [[name.padEnd(gutter), "dim"], ...line], worth });
  };
  put("likely", likelyLine(state, body), 9);
  put("depth", depthLine(state, isNarrow), 8);
  if (state.power !== undefined) for (const [i, line] of reasonLines(state, body).entries()) put(i === 0 ? "why" : "", line, 8 - i);
  rows.push(blank);
  const ribbon = ribbonLines(state, body, options.hasColour);
  if (state.info.hasBroker) put("asked", ribbon.asks, 4);
  put("says", ribbon.says, SAYS_WORTH);
  if (ribbon.truth !== undefined) put("truth", ribbon.truth, 5);
  for (const line of legend(state.info.labels, legendLabels, body, options.hasColour)) put("", line, legendWorth);
  rows.push(blank);
  put("cloud", cloudLine(state, body), 8);
  for (const line of askLine(state, body)) put("", line, 7);
  rows.push(blank);
  if (state.power !== undefined) {
    put("power", powerLine(state, body), 7);
    put("budget", budgetLine(state, body), 6);
    rows.push(blank);
  }
  for (const [i, line] of rightLines(state, body).entries()) put(i === 0 ? "right" : "", line, 6);
  put("totals", totalsLine(state, body, isNarrow), 6);
  put("memory", memoryLine(state, isNarrow), 5);
  if (state.remark !== undefined) put("note", [[state.remark, "dim"]], 2);
  const foot: Row[] = [blank, { line: [[footer(state, isNarrow), "dim"]], worth: 6 }];
  if (state.info.pageUrl !== undefined && !isNarrow)
    foot[1] = { line: [[`${footer(state, isNarrow)} · page: ${state.info.pageUrl}`, "dim"]], worth: 6 };
  return [...rows, ...latelyRows(state, options.rows - 1 - rows.length - foot.length, gutter), ...foot];
}

const blank: Row = { line: [], worth: 0 };

function lowered(rows: readonly Row[], most: number): readonly Row[] {
  const kept = [...rows];
  while (kept.length > Math.max(1, most)) {
    let least = kept.length - 1;
    for (let i = kept.length - 1; i >= 0; i--) if (kept[i]!.worth < kept[least]!.worth) least = i;
    kept.splice(least, 1);
  }
  return kept;
}

function headRows({ info, seconds, phase }: ViewState, width: number, isNarrow: boolean): Row[] {
  const name: Segment[] = [["dormouse", "bold"], [` ${info.agent}`]];
  const pace = info.speed === Number.POSITIVE_INFINITY ? "max" : `${info.speed}×`;
  const time = `${isNarrow ? "" : `${info.sensor} · `}${pace} · ${elapsedText(seconds)}${phase === "draining" ? " · ending" : ""}`;
  const promise: Segment[] = isNarrow ? [] : [["   decides on the wearer, asks the cloud when unsure", "dim"]];
  const right: Line = [[time, "dim"]];
  const full: Line = [...name, ...promise];
  return [{ line: spread(measureWidth(full) + measureWidth(right) < width ? full : name, right, width), worth: 9 }];
}

function labelRows({ info, decision }: ViewState, columns: number): Row[] {
  const width = Math.min(columns, TRUTH_COLUMNS);
  const label = decision?.shown ?? decision?.label;
  if (label === undefined) return [{ line: [["waking up …", "dim"]], worth: 10 }, blank, blank];
  const colour = labelColour(info.labels, label);
  const truth: Line = decision?.truth === undefined ? [] : [[`in truth: ${decision.truth}`, "dim"]];
  const source: Line = decision?.source === "cloud" ? [["from the cloud", "dim"]] : [];
  const letters = bigLetters(label, width - 24);
  if (letters === undefined) {
    return [
      { line: spread([[label.toUpperCase(), "bold", colour]], truth, width), worth: 10 },
      { line: spread([], source, width), worth: 1 },
    ];
  }
  const rights: Line[] = [[], truth, source];
  return letters.map((text, row) => ({ line: spread([[text, "bold", colour]], rights[row]!, width), worth: 10 }));
}

function likelyLine({ decision }: ViewState, body: number): Line {
  if (decision === undefined) return [];
  const columns = Math.max(4, Math.min(60, body - 7));
  const filled = Math.round(decision.confidence * columns);
  const colour = decision.why === "exit" ? GREEN : AMBER;
  return [["━".repeat(filled), colour], ["─".repeat(columns - filled), "dim"], [` ${percentText(decision.confidence).padStart(6)}`]];
}

/** ●━━●──○──○: how far into the model the decision had to go. The reason, if shown, has the probability. */
function depthLine({ info, decision, power }: ViewState, isNarrow: boolean): Line {
  if (decision === undefined) return [];
  const reach = isNarrow ? 1 : 3;
  const line: Segment[] = [];
  for (let exit = 0; exit < info.nExits; exit++) {
    const isVisited = exit <= decision.exit;
    if (exit > 0) line.push([(isVisited ? "━" : "─").repeat(reach), ...(isVisited ? [GREEN] : (["dim"] as const))]);
    line.push(isVisited ? ["●", decision.why === "exit" ? GREEN : AMBER] : ["○", "dim"]);
  }
  const saved = Math.max(0, 1 - decision.macs / info.hopMacs);
  const where = `${decision.exit + 1} of ${info.nExits}`;
  const sure = isNarrow ? `sure at ${where}` : `sure at exit ${where}`;
  const unsure = isNarrow ? "unsure" : decision.exit + 1 < info.nExits ? `unsure at exit ${where}` : "unsure at every exit";
  const stop = decision.why === "exit" ? sure : unsure;
  line.push([power === undefined ? `  ${stop} · ` : "  "]);
  line.push([isNarrow ? `${percentText(saved)} saved` : `${percentText(saved)} of the compute saved`, "dim"]);
  return line;
}

/** What happened last, newest first, where a tall terminal has room for it. */
function latelyRows({ recent }: ViewState, room: number, gutter: number): Row[] {
  if (room < LEAST_LATELY) return [];
  const lines = recent.slice(-(room - 1)).reverse();
  return [
    blank,
    ...lines.map(
      ({ seconds, text }, i): Row => ({
        line: [
          [(i === 0 ? "lately" : "").padEnd(gutter), "dim"],
          [`${elapsedText(seconds).padStart(5)}  ${text}`, "dim"],
        ],
        worth: 0,
      }),
    ),
  ];
}

/** How often the label was right with the cloud's answers, as it would be without them, and by the net alone; of an alarm which were told. */
function rightLines({ info, counters }: ViewState, body: number): Line[] {
  const { decisions, localRight, deviceRight, shownRight, alarms } = counters?.truth ?? NO_TRUTH;
  if (decisions === 0) return [[]];
  if (alarms !== undefined) return alarmLines(alarms, info.hasBroker);
  const share = (right: number, digits = 1): string => percentText(right / decisions, digits);
  const net = `${share(localRight)} the net alone`;
  if (!info.hasBroker) return [[[joinedToFit([`${share(shownRight)} of the labels shown`, net], body)]]];
  if (body < 46) return [[[`${share(shownRight, 0)} with the cloud, ${share(deviceRight, 0)} without`]]];
  return [[[joinedToFit([`${share(shownRight)} with the cloud`, `${share(deviceRight)} without`, net], body)]]];
}

function alarmLines({ label, shown, device }: AlarmTallies, hasBroker: boolean): Line[] {
  if (!hasBroker) return [[[tallyText(shown, label)]]];
  return [[[`with the cloud: ${tallyText(shown, label)}`]], [[`without: ${tallyText(device, label)}`]]];
}

/** As many of the parts as fit, the most telling first. */
function totalsLine({ info, counters }: ViewState, body: number, isNarrow: boolean): Line {
  if (counters === undefined) return [];
  const { decisions, events, gaps, resets, meanMacs } = counters;
  const saved = percentText(Math.max(0, 1 - meanMacs / info.hopMacs));
  const parts = [countText(decisions, "decision")];
  if (gaps + resets > 0) parts.push(`${countText(gaps, "gap")}, ${countText(resets, "reset")}`);
  parts.push(isNarrow ? `${saved} saved` : `${saved} of the compute saved`, `${countText(events, "change")} told`);
  return [[joinedToFit(parts, body)]];
}

function memoryLine({ info }: ViewState, isNarrow: boolean): Line {
  const text = `${bytesText(info.arenaBytes)} of state · ${bytesText(info.imageBytes)} model`;
  return [[isNarrow ? text : `${text} · no heap, nothing grows`]];
}

function footer({ phase, counters }: ViewState, isNarrow: boolean): string {
  if (phase === "done") return "done";
  if (phase === "draining") return `waiting for ${countText(counters?.pending ?? 0, "answer")}; Ctrl-C again leaves at once`;
  return isNarrow ? "Ctrl-C ends it" : "Ctrl-C ends it, once the waiting asks are answered";
}
