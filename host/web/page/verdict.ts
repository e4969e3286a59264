import type { AlarmTallies } from "../../agent/alarm-tally.ts";
import type { TruthCounts } from "../../agent/truth-score.ts";
import { bytesText, countText, numberText, percentText } from "../../core/system/table.ts";
import { byId, create, setAttribute, setText } from "./dom.ts";
import type { RunState } from "./run-state.ts";
import { labelVariable } from "./theme.ts";

const label = byId("label");
const chips = byId("chips");
const sure = byId("sure");
const marks = byId("exit-marks");

/** The decision that the reader looks at: label, how sure, whose word, right or wrong, depth and reason. */
export function drawVerdict(run: RunState): void {
  const { ring, info } = run;
  const i = run.index;
  if (i < 0) return;
  const row = ring.row(i);
  const shown = row.shown < 0 ? row.label : row.shown;
  const name = run.labelText(shown);
  setText(label, name);
  setAttribute(label, "title", name);
  for (const element of [label, sure]) element.style.setProperty("--label", labelVariable(shown));
  const percent = Math.round(100 * row.confidence);
  setText(sure.querySelector("b")!, `${percent} %`);
  sure.querySelector("i")!.style.setProperty("--part", `${percent}%`);
  const told: [text: string, className: string][] = [[row.isCloud ? "the cloud decided" : "the device decided", ""]];
  if (shown !== row.label) told.push([`net: ${run.labelText(row.label)}`, ""]);
  if (row.truth >= 0) told.push(truthChip(run, row.truth, shown));
  if (row.level > 0) told.push([`degraded, level ${row.level} of 4`, "miss"]);
  drawChips(told);
  if (marks.childElementCount !== info.nExits) marks.replaceChildren(...Array.from({ length: info.nExits }, () => create("i")));
  for (const [exit, mark] of [...marks.children].entries()) mark.className = exit <= row.exit ? "on" : "";
  const saved = percentText(Math.max(0, 1 - row.macs / info.hopMacs));
  setText(byId("exit-text"), `exit ${row.exit + 1} of ${info.nExits}, ${saved} of a full decision saved`);
  setText(byId("reason"), row.reason);
}

/** An alarm is shown longer than its event lasts: of an agent with one, the truth is told and nothing is called wrong. */
function truthChip(run: RunState, truth: number, shown: number): [text: string, className: string] {
  if (run.info.alarm !== undefined) return [`in truth: ${run.labelText(truth)}`, ""];
  return truth === shown ? ["right", ""] : [`wrong: ${run.labelText(truth)}`, "miss"];
}

function drawChips(wanted: readonly (readonly [text: string, className: string])[]): void {
  while (chips.childElementCount > wanted.length) chips.lastElementChild!.remove();
  for (const [i, [text, className]] of wanted.entries()) {
    const chip = chips.children[i] ?? chips.appendChild(create("span"));
    setText(chip, text);
    if (chip.className !== className) chip.className = className;
  }
}

/** A row of "right so far". */
interface RightRow {
  readonly name: string;
  readonly text: string;
  readonly share: number; // length of the bar, 0…1
  readonly isBest: boolean;
}

/** Right so far: with the cloud, without it, the net alone; of an agent with an alarm which were told. The best is marked, unless all are equal. */
export function drawAccuracy({ status, info }: RunState): void {
  const { truth } = status.counters;
  const { decisions, alarms } = truth;
  const list = byId("accuracy");
  const of = alarms === undefined ? `of ${numberText(decisions)} decisions` : `of ${countText(alarms.shown.events, alarms.label)}`;
  setText(byId("accuracy-of"), decisions === 0 ? "the truth is not known here, or nothing was scored yet" : of);
  list.hidden = decisions === 0;
  if (decisions === 0) return;
  const rows = alarms === undefined ? labelRows(truth, info.hasBroker) : alarmRows(alarms, info.hasBroker);
  if (list.childElementCount !== rows.length)
    list.replaceChildren(
      ...rows.map(() => {
        const row = create("div");
        row.append(create("dt"), create("dd"));
        return row;
      }),
    );
  for (const [i, { name, share, text, isBest }] of rows.entries()) {
    const row = list.children[i] as HTMLElement;
    row.className = isBest ? "best" : "";
    setText(row.children[0]!, name);
    setText(row.children[1]!, text);
    row.style.setProperty("--part", `${100 * share}%`);
  }
}

function labelRows({ decisions, localRight, deviceRight, shownRight }: TruthCounts, hasBroker: boolean): RightRow[] {
  const counts: [name: string, right: number][] = [
    ["without the cloud", deviceRight],
    ["the net alone", localRight],
  ];
  if (hasBroker) counts.unshift(["with the cloud", shownRight]);
  const shares = counts.map(([, right]) => right / decisions);
  const isBest = bestOf(shares);
  return counts.map(([name], i) => ({ name, text: percentText(shares[i]!, 1), share: shares[i]!, isBest: isBest(i) }));
}

function alarmRows({ label, shown, device }: AlarmTallies, hasBroker: boolean): RightRow[] {
  const sides = hasBroker ? { "with the cloud": shown, without: device } : { "by the device": device };
  const names = Object.keys(sides);
  const tallies = Object.values(sides);
  const mostFalse = Math.max(1, ...tallies.map(({ falseAlarms }) => falseAlarms));
  const isBestFound = bestOf(tallies.map(({ found }) => found));
  const isBestFalse = bestOf(tallies.map(({ falseAlarms }) => -falseAlarms));
  return [
    ...tallies.map(({ events, found }, i) => ({
      ...{ name: `${label}s told, ${names[i]}`, text: `${found} of ${events}` },
      ...{ share: found / Math.max(1, events), isBest: isBestFound(i) },
    })),
    ...tallies.map(({ falseAlarms }, i) => ({
      ...{ name: `false alarms, ${names[i]}`, text: numberText(falseAlarms) },
      ...{ share: falseAlarms / mostFalse, isBest: isBestFalse(i) },
    })),
  ];
}

/** Which of some values are the largest, unless all are equal. */
function bestOf(values: readonly number[]): (i: number) => boolean {
  const best = Math.max(...values);
  const isTold = values.some((value) => value !== best);
  return (i) => isTold && values[i] === best;
}

/** Battery, skin, power, compute saved, memory. */
export function drawTiles({ status, info }: RunState): void {
  const { power, counters } = status;
  const tiles: [name: string, value: string, isOver?: boolean][] = [];
  if (power !== null) {
    if (power.stateOfCharge !== undefined)
      tiles.push([
        `battery${power.batteryVolts === undefined ? "" : `, ${power.batteryVolts.toFixed(2)} V`}`,
        percentText(power.stateOfCharge, 2),
      ]);
    if (power.skinCelsius !== undefined)
      tiles.push([
        `skin, limit ${power.limitCelsius} °C; in a minute ${power.forecastCelsius?.toFixed(1)} °C`,
        `${power.skinCelsius.toFixed(1)} °C`,
        power.limitCelsius !== undefined && power.skinCelsius > power.limitCelsius - 1,
      ]);
    const governed = power.level === 0 ? "" : `; degraded, level ${power.level} of 4`;
    tiles.push([`drawn; ${milliwatts(power.budgetWatts)} to spend on work${governed}`, milliwatts(power.watts), power.level > 0]);
  }
  if (counters.decisions > 0) tiles.push(["of the compute saved", percentText(Math.max(0, 1 - counters.meanMacs / info.hopMacs))]);
  tiles.push([`of memory, constant; model ${bytesText(info.imageBytes)}`, bytesText(info.arenaBytes)]);
  tiles.push([
    counters.gaps + counters.resets > 0 ? `decisions; ${counters.gaps} gaps, ${counters.resets} resets` : "decisions, no frame lost",
    numberText(counters.decisions),
  ]);
  const list = byId("tiles");
  while (list.childElementCount > tiles.length) list.lastElementChild!.remove();
  for (const [i, [name, value, isOver = false]] of tiles.entries()) {
    let tile = list.children[i];
    if (tile === undefined) {
      tile = list.appendChild(create("div"));
      tile.append(create("dt"), create("dd"));
    }
    tile.className = isOver ? "over" : "";
    setText(tile.children[0]!, name);
    setText(tile.children[1]!, value);
  }
}

function milliwatts(watts: number): string {
  return `${(1000 * watts).toPrecision(3)} mW`;
}
