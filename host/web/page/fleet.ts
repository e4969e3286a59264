import { countText, percentText } from "../../core/system/table.ts";
import type { FleetFrame, FleetHello, FleetRow } from "../messages.ts";
import { byId, create, setAttribute, setText } from "./dom.ts";
import { compareRows, type FleetColumn, type FleetOrder, isMatch } from "./fleet-order.ts";
import { labelColour, labelVariable } from "./theme.ts";

/** Seconds of the strip of each row, a pixel pair each. */
const STRIP_SECONDS = 120;
const STRIP_WIDTH = 240;
const STRIP_HEIGHT = 16;
const CELLS = 10;
const WIDE_CELLS = [3, 5, 6, 7, 9]; // not on a phone

interface NodeView {
  row: FleetRow;
  readonly line: HTMLTableRowElement;
  readonly strip: CanvasRenderingContext2D;
  readonly runs: { label: number; from: number }[]; // oldest first
  isFresh: boolean;
}

export interface Fleet {
  hello(hello: FleetHello): void;
  frame(frame: FleetFrame): void;
  /** Draws the cells that have changed. */
  draw(now: number): void;
}

/** The table of nodes: a change writes its own cells alone. */
export function createFleet(onChange: () => void): Fleet {
  const body = byId("nodes").querySelector("tbody")!;
  const nodes = new Map<string, NodeView>();
  const filter = byId<HTMLInputElement>("filter");
  const heads = [...document.querySelectorAll<HTMLButtonElement>("#nodes [data-column]")];
  let order: FleetOrder = { column: "node", isDescending: false };
  let labels: readonly string[] = [];

  for (const head of heads)
    head.addEventListener("click", () => {
      const column = head.dataset.column as FleetColumn;
      order = { column, isDescending: order.column === column && !order.isDescending };
      sort();
    });
  filter.addEventListener("input", select);

  function sort(): void {
    for (const head of heads) {
      const isOrder = head.dataset.column === order.column;
      setAttribute(head.parentElement!, "aria-sort", isOrder ? (order.isDescending ? "descending" : "ascending") : "none");
    }
    body.append(...[...nodes.values()].sort((a, b) => compareRows(a.row, b.row, order)).map(({ line }) => line));
  }

  function select(): void {
    for (const { row, line } of nodes.values()) line.hidden = !isMatch(row, filter.value);
    byId("none").hidden = nodes.size === 0 || [...nodes.values()].some(({ line }) => !line.hidden);
  }

  function put(row: Partial<FleetRow> & Pick<FleetRow, "node">): void {
    const known = nodes.get(row.node);
    if (known !== undefined) {
      known.row = { ...known.row, ...row };
      known.isFresh = true;
      return;
    }
    const line = create("tr");
    const canvas = create("canvas");
    canvas.width = STRIP_WIDTH;
    canvas.height = STRIP_HEIGHT;
    canvas.ariaHidden = "true";
    for (let cell = 0; cell < CELLS; cell++) line.append(create("td", "", WIDE_CELLS.includes(cell) ? "wide" : ""));
    const link = create("a");
    link.href = `?node=${encodeURIComponent(row.node)}`;
    line.children[0]!.append(link);
    line.children[2]!.append(create("i"), create("span"));
    line.children[3]!.append(canvas);
    const after = [...nodes.values()]
      .filter((one) => compareRows(one.row, row as FleetRow, order) > 0)
      .sort((a, b) => compareRows(a.row, b.row, order))[0];
    body.insertBefore(line, after?.line ?? null);
    const view = { row: row as FleetRow, line, strip: canvas.getContext("2d")!, runs: [], isFresh: true };
    nodes.set(row.node, view);
  }

  function drawRow(view: NodeView, now: number): void {
    const { row, line, runs } = view;
    const label = labels.indexOf(row.label);
    if (runs.at(-1)?.label !== label) runs.push({ label, from: now });
    while (runs.length > 1 && runs[1]!.from < now - 1000 * STRIP_SECONDS) runs.shift();
    const cells = line.children;
    setText(cells[0]!.firstElementChild as HTMLElement, row.node);
    setText(cells[1]!, row.state);
    setAttribute(cells[1]!, "data-state", row.state);
    const [swatch, name] = cells[2]!.children as unknown as HTMLElement[];
    swatch!.style.setProperty("--s", labelVariable(label));
    setText(name!, row.label);
    setText(cells[4]!, row.stateOfCharge < 0 ? "" : percentText(row.stateOfCharge));
    setText(cells[5]!, row.skinCelsius < 0 ? "" : `${row.skinCelsius.toFixed(1)} °C`);
    setText(cells[6]!, row.model.slice(0, 8));
    setText(cells[7]!, row.firmware ?? "");
    setText(cells[8]!, String(row.asks));
    setText(cells[9]!, row.wallMillis === undefined ? "" : new Date(row.wallMillis).toLocaleTimeString("en-GB"));
    drawStrip(view, now);
  }

  /** Labels of the last two minutes, now at the right. */
  function drawStrip({ strip, runs }: NodeView, now: number): void {
    strip.clearRect(0, 0, STRIP_WIDTH, STRIP_HEIGHT);
    for (const [i, { label, from }] of runs.entries()) {
      const x = (millis: number): number => STRIP_WIDTH * (1 - (now - millis) / 1000 / STRIP_SECONDS);
      const start = Math.max(0, x(from));
      const end = x(runs[i + 1]?.from ?? now);
      strip.fillStyle = labelColour(label);
      strip.fillRect(start, 0, Math.max(1, end - start), STRIP_HEIGHT);
    }
  }

  function drawHead(): void {
    const counts = { awake: 0, asleep: 0, offline: 0 };
    for (const { row } of nodes.values()) counts[row.state]++;
    const parts = Object.entries(counts).filter(([, count]) => count > 0);
    setText(byId("fleet-of"), `${countText(nodes.size, "node")}: ${parts.map(([state, count]) => `${count} ${state}`).join(", ")}`);
  }

  return {
    hello(hello) {
      labels = hello.labels;
      nodes.clear();
      body.replaceChildren();
      byId("fleet").hidden = false;
      for (const row of [...hello.rows].sort((a, b) => compareRows(a, b, order))) put(row);
      sort();
      onChange();
    },
    frame({ rows, gone }) {
      for (const row of rows) put(row);
      for (const node of gone) {
        nodes.get(node)?.line.remove();
        nodes.delete(node);
      }
      onChange();
    },
    draw(now) {
      let hasDrawn = false;
      for (const view of nodes.values()) {
        if (!view.isFresh) continue;
        view.isFresh = false;
        hasDrawn = true;
        drawRow(view, now);
      }
      if (!hasDrawn) return;
      drawHead();
      select();
    },
  };
}
