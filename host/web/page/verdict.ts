import { bytesText, numberText, percentText } from "../../core/system/table.ts";
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
  if (row.truth >= 0) told.push(row.truth === shown ? ["right", ""] : [`wrong: ${run.labelText(row.truth)}`, "miss"]);
  if (row.level > 0) told.push([`degraded, level ${row.level} of 4`, "miss"]);
  drawChips(told);
  if (marks.childElementCount !== info.nExits) marks.replaceChildren(...Array.from({ length: info.nExits }, () => create("i")));
  for (const [exit, mark] of [...marks.children].entries()) mark.className = exit <= row.exit ? "on" : "";
  const saved = percentText(Math.max(0, 1 - row.macs / info.hopMacs));
  setText(byId("exit-text"), `exit ${row.exit + 1} of ${info.nExits}, ${saved} of a full decision saved`);
  setText(byId("reason"), row.reason);
}

function drawChips(wanted: readonly (readonly [text: string, className: string])[]): void {
  while (chips.childElementCount > wanted.length) chips.lastElementChild!.remove();
  for (const [i, [text, className]] of wanted.entries()) {
    const chip = chips.children[i] ?? chips.appendChild(create("span"));
    setText(chip, text);
    if (chip.className !== className) chip.className = className;
  }
}

/** Right so far: with the cloud, without it, the net alone. The best of them is marked, unless all are equal. */
export function drawAccuracy({ status, info }: RunState): void {
  const { decisions, localRight, deviceRight, shownRight } = status.counters.truth;
  const list = byId("accuracy");
  setText(
    byId("accuracy-of"),
    decisions === 0 ? "the truth is not known here, or nothing was scored yet" : `of ${numberText(decisions)} decisions`,
  );
  list.hidden = decisions === 0;
  if (decisions === 0) return;
  const rows: [name: string, right: number][] = [
    ["without the cloud", deviceRight],
    ["the net alone", localRight],
  ];
  if (info.hasBroker) rows.unshift(["with the cloud", shownRight]);
  const best = Math.max(...rows.map(([, right]) => right));
  const isTold = rows.some(([, right]) => right !== best);
  if (list.childElementCount !== rows.length)
    list.replaceChildren(
      ...rows.map(() => {
        const row = create("div");
        row.append(create("dt"), create("dd"));
        return row;
      }),
    );
  for (const [i, [name, right]] of rows.entries()) {
    const row = list.children[i] as HTMLElement;
    row.className = isTold && right === best ? "best" : "";
    setText(row.children[0]!, name);
    setText(row.children[1]!, percentText(right / decisions, 1));
    row.style.setProperty("--part", `${(100 * right) / decisions}%`);
  }
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
