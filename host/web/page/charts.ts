import uPlot from "uplot";
import { elapsedText } from "../../core/system/table.ts";
import { POWER_PARTS, type PowerPart } from "../messages.ts";
import { byId, create } from "./dom.ts";
import type { RunState } from "./run-state.ts";
import { theme } from "./theme.ts";

/** Points per line at most: more than a chart has pixels shows nothing more. */
const MOST_POINTS = 600;
/** A temperature that moves less is told in one sentence instead of a flat line. */
const FLAT_CELSIUS = 0.5;
const SYNC = "run";

/** Colours of the power's layers: parts that never change are soft. */
const PART_COLOURS: Readonly<Record<PowerPart, number | "soft" | "grid">> = {
  sleep: "grid",
  sensor: "soft",
  load: 6,
  compute: 3,
  radio: 1,
};

/** Colours of the signals' channels, as numbers of label colours. */
const CHANNEL_COLOURS = [3, 1, 2] as const;

interface Chart {
  draw(run: RunState): void;
  /** Draws anew, in other colours or another size. */
  restyle(): void;
  setCursor(seconds: number | undefined): void;
}

type Column = number[] | (number | null)[];

interface ChartSpec {
  readonly id: string;
  readonly series: (run: RunState) => uPlot.Series[];
  readonly data: (run: RunState) => readonly Column[];
  /** The y axis, fixed unless the data leave it. */
  readonly scale: (run: RunState, low: number, high: number) => readonly [number, number];
  readonly unit: (value: number) => string;
  /** Instead of a drawing, if one sentence tells it all. */
  readonly sentence?: (run: RunState) => string | undefined;
  readonly splits?: (run: RunState) => number[];
}

function createChart(spec: ChartSpec, onCursor: (seconds: number | undefined) => void): Chart {
  const box = byId(spec.id);
  let plot: uPlot | undefined;
  let latest: RunState | undefined;

  function open(run: RunState): uPlot {
    box.replaceChildren();
    const axis = {
      stroke: () => theme.soft,
      grid: { stroke: () => theme.grid, width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const made = new uPlot(
      {
        width: box.clientWidth,
        height: box.clientHeight,
        legend: { show: false },
        padding: [8, 6, 0, 0],
        cursor: { y: false, drag: { setScale: false }, points: { show: false }, sync: { key: SYNC, setSeries: false } },
        scales: {
          x: { time: false, range: () => [...latest!.range] as [number, number] },
          y: { range: (_, low, high) => [...spec.scale(latest!, low ?? 0, high ?? 0)] as [number, number] },
        },
        axes: [
          {
            ...axis,
            size: 24,
            gap: 4,
            space: 70,
            values: (_, ticks) => ticks.map(elapsedText),
            incrs: [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600],
          },
          {
            ...axis,
            size: 58,
            gap: 6,
            space: 30,
            values: (_, ticks) => ticks.map(spec.unit),
            ...(spec.splits && { splits: () => spec.splits!(latest!) }),
          },
        ],
        series: [{}, ...spec.series(run)],
        hooks: { setCursor: [(u) => u.cursor.event && onCursor(u.cursor.left! < 0 ? undefined : u.posToVal(u.cursor.left!, "x"))] },
      },
      spec.data(run) as uPlot.AlignedData,
      box,
    );
    return made;
  }

  return {
    draw(run) {
      latest = run;
      const sentence = spec.sentence?.(run);
      if (sentence !== undefined) {
        plot?.destroy();
        plot = undefined;
        if (box.textContent !== sentence) box.replaceChildren(create("p", sentence, "plain"));
        return;
      }
      if (plot === undefined) plot = open(run);
      else plot.setData(spec.data(run) as uPlot.AlignedData);
    },
    restyle() {
      plot?.destroy();
      plot = undefined;
      box.replaceChildren();
      if (latest !== undefined) this.draw(latest);
    },
    setCursor(seconds) {
      plot?.setCursor({ left: seconds === undefined ? -10 : plot.valToPos(seconds, "x"), top: 10 }, false);
    },
  };
}

/** The charts under the ribbon; they share its time axis and one cursor. */
export function createCharts(onCursor: (seconds: number | undefined) => void): Chart {
  const all = [signals, depth, power, heat, trips].map((spec) => createChart(spec, onCursor));
  new ResizeObserver(() => {
    for (const chart of all) chart.restyle();
  }).observe(byId("run"));
  return {
    draw: (run) => {
      for (const chart of all) chart.draw(run);
    },
    restyle: () => {
      for (const chart of all) chart.restyle();
    },
    setCursor: (seconds) => {
      for (const chart of all) chart.setCursor(seconds);
    },
  };
}

/** Which colour is which part and channel. */
export function drawKeys({ info }: RunState): void {
  drawKey(
    "signals-key",
    info.channels.map(({ name, unit }, channel) => [`${name} (${unit})`, `var(--c${CHANNEL_COLOURS[channel]})`]),
    "",
  );
  const parts = POWER_PARTS.filter((part) => part !== "load").map((part): [string, string] => {
    const colour = PART_COLOURS[part];
    return [part, typeof colour === "number" ? `var(--c${colour})` : `var(--${colour})`];
  });
  drawKey("power-key", parts, "dashed: what the battery can spare");
}

function drawKey(id: string, entries: readonly (readonly [name: string, colour: string])[], more: string): void {
  const pieces = entries.flatMap(([name, colour]) => {
    const swatch = create("i");
    swatch.style.setProperty("--s", colour);
    return [swatch, name];
  });
  byId(id).replaceChildren(...pieces, more === "" ? "" : `; ${more}`);
}

/** Indexes of decisions in the range, thinned. */
function decisionsShown({ ring, range }: RunState): number[] {
  const first = Math.max(0, ring.indexAt(range[0]));
  const last = ring.indexAt(range[1]);
  const step = Math.max(1, Math.ceil((last - first + 1) / MOST_POINTS));
  const shown: number[] = [];
  for (let i = last; i >= first; i -= step) shown.push(i);
  return shown.reverse();
}

const line = (colour: () => string, more: Partial<uPlot.Series> = {}): uPlot.Series => ({
  stroke: colour,
  width: 1.5,
  points: { show: false },
  ...more,
});

const signals: ChartSpec = {
  id: "signals",
  series: ({ info }) => info.channels.map((_, channel) => line(() => theme.colours[CHANNEL_COLOURS[channel]!]!, { width: 1.2 })),
  data({ signals: ring, range, info }) {
    const from = Math.max(0, ring.length - 1 - Math.ceil((ring.secondsAt(ring.length - 1) - range[0]) * info.signalRateHz));
    const to = Math.min(ring.length - 1, ring.length - 1 - Math.floor((ring.secondsAt(ring.length - 1) - range[1]) * info.signalRateHz));
    const step = Math.max(1, Math.ceil((to - from + 1) / (2 * MOST_POINTS)));
    const columns: number[][] = [[], ...info.channels.map(() => [])];
    for (let i = from; i <= to; i += step) {
      columns[0]!.push(ring.secondsAt(i));
      for (let channel = 0; channel < info.channels.length; channel++) columns[channel + 1]!.push(ring.value(channel, i));
    }
    return columns;
  },
  scale: (_, low, high) => [Math.min(-1.5, Math.floor(low)), Math.max(2, Math.ceil(high))],
  unit: (value) => String(value),
  sentence: ({ signals: ring }) => (ring.length < 2 ? "No signal has come yet." : undefined),
};

const stepped = uPlot.paths.stepped!({ align: -1 });

const depth: ChartSpec = {
  id: "depth",
  series: () => [line(() => theme.soft, { paths: stepped, fill: () => `${theme.soft}55`, width: 1 })],
  data(run) {
    const shown = decisionsShown(run);
    return [shown.map((i) => run.ring.number("seconds", i)), shown.map((i) => run.ring.number("exit", i) + 1)];
  },
  scale: ({ info }) => [0, info.nExits],
  splits: ({ info }) => Array.from({ length: info.nExits + 1 }, (_, exit) => exit),
  unit: (value) => String(value),
};

const power: ChartSpec = {
  id: "power",
  series: () => [
    ...[...POWER_PARTS].reverse().map((part) => {
      const colour = () => {
        const which = PART_COLOURS[part];
        return typeof which === "number" ? theme.colours[which]! : theme[which];
      };
      return line(colour, { fill: colour, width: 0, paths: stepped });
    }),
    line(() => theme.limit, { dash: [6, 5], width: 1.2 }),
  ],
  data(run) {
    const shown = decisionsShown(run).filter((i) => !Number.isNaN(run.ring.number("watts.compute", i)));
    const parts = POWER_PARTS.map((part) => shown.map((i) => 1000 * run.ring.number(`watts.${part}`, i)));
    for (let part = 1; part < parts.length; part++) for (const [i, below] of parts[part - 1]!.entries()) parts[part]![i]! += below;
    const floor = parts[2]!;
    const income = 1000 * (run.status.power?.budgetWatts ?? 0);
    return [shown.map((i) => run.ring.number("seconds", i)), ...parts.reverse(), floor.map((value) => value + income)];
  },
  scale: (_, __, high) => [0, Math.max(0.1, high * 1.1)],
  unit: (value) => `${value} mW`,
  sentence: ({ status }) => (status.power === null ? "No board is modelled in this run: --board gives one." : undefined),
};

const heat: ChartSpec = {
  id: "heat",
  series: () => [
    line(() => theme.colours[1]!),
    line(() => theme.colours[1]!, { dash: [2, 4] }),
    line(() => theme.limit, { dash: [6, 5], width: 1.2 }),
  ],
  data(run) {
    const shown = decisionsShown(run);
    const seconds = shown.map((i) => run.ring.number("seconds", i));
    const skin = shown.map((i) => run.ring.number("skinCelsius", i));
    const forecast: (number | null)[] = skin.map(() => null);
    if (skin.length > 1) {
      forecast[skin.length - 2] = skin.at(-2)!;
      forecast[skin.length - 1] = run.status.power?.forecastCelsius ?? null;
    }
    return [seconds, skin, forecast, skin.map(() => run.status.power?.limitCelsius ?? null)];
  },
  scale: (_, low, high) => [Math.floor(low - 1), Math.ceil(high + 1)],
  unit: (value) => `${value} °C`,
  sentence(run) {
    const { power: status } = run.status;
    if (status?.skinCelsius === undefined || status.limitCelsius === undefined) return "No temperature is modelled in this run.";
    const { ring } = run;
    let [low, high] = [status.skinCelsius, Math.max(status.skinCelsius, status.forecastCelsius ?? 0)];
    for (let i = 0; i < ring.length; i++) {
      low = Math.min(low, ring.number("skinCelsius", i));
      high = Math.max(high, ring.number("skinCelsius", i));
    }
    if (high - low >= FLAT_CELSIUS) return undefined;
    return `The skin has been at ${status.skinCelsius.toFixed(1)} °C all along, ${(status.limitCelsius - high).toFixed(0)} °C below its limit, and stays there at this power.`;
  },
};

const trips: ChartSpec = {
  id: "trips",
  series: () => [
    line(() => theme.warn, { paths: () => null, points: { show: true, size: 6, fill: () => theme.warn, stroke: () => theme.warn } }),
  ],
  data({ asks, range }) {
    const answered = asks.filter(({ state, seconds }) => state === "answered" && seconds >= range[0] && seconds <= range[1]);
    answered.sort((a, b) => a.seconds - b.seconds);
    return [answered.map(({ seconds }) => seconds), answered.map(({ millis }) => millis)];
  },
  scale: (_, __, high) => [0, Math.max(100, high * 1.15)],
  unit: (value) => (value >= 10_000 ? `${value / 1000} s` : `${value} ms`),
  sentence: ({ asks, info }) =>
    !info.hasBroker
      ? "No broker is named in this run: the device decides alone."
      : asks.some(({ state }) => state === "answered")
        ? undefined
        : "No answer has come yet: round trips are drawn here.",
};
