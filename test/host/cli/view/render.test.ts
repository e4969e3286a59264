import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { LoopCounters } from "../../../../host/agent/loop-types.ts";
import type { ViewInfo } from "../../../../host/agent/run-view.ts";
import { AMBER, GREEN, LABEL_COLOURS, RED } from "../../../../host/cli/view/paint.ts";
import { render } from "../../../../host/cli/view/render.ts";
import { labelLetters } from "../../../../host/cli/view/render-ribbon.ts";
import { nextView, startView, type ViewState } from "../../../../host/cli/view/view-state.ts";
import { elapsedText } from "../../../../host/core/system/table.ts";
import type { GovernorStatus } from "../../../../host/policy/govern/governor-types.ts";

const INFO: ViewInfo = {
  agent: "activity",
  sensor: "synthetic:1",
  speed: 10,
  rateHz: 50,
  labels: ["walking", "upstairs", "downstairs", "sitting", "standing", "laying", "transition"],
  nExits: 4,
  hopSeconds: 1.28,
  hopMacs: 1000,
  arenaBytes: 18736,
  imageBytes: 48448,
  hasBroker: true,
};

const COUNTERS: LoopCounters = {
  decisions: 94,
  events: 8,
  asked: 12,
  answered: 11,
  expired: 0,
  refused: 0,
  evicted: 0,
  pending: 1,
  exits: [60, 20, 4, 10],
  meanMacs: 250,
  frames: 4200,
  gaps: 0,
  resets: 0,
  ignored: 0,
  applied: 10,
  anomalies: 0,
  withheld: 0,
  sensorFaults: [],
  truth: { decisions: 90, localRight: 80, deviceRight: 82, shownRight: 87 },
};

/** A wearer who walked, then sat down and left the model in doubt; the cloud has answered. */
function example(over: Partial<ViewInfo> = {}): ViewState {
  let state = startView({ ...INFO, ...over });
  const record = { exit: 1, why: "exit" as const, macs: 250, rebuilds: 0, source: "local" as const, reason: "" };
  for (let i = 0; i < 30; i++) {
    state = nextView(state, {
      kind: "decision",
      record: { ...record, tick: i * 64, label: "walking", shown: "walking", truth: "walking", confidence: 0.97 },
    });
  }
  const doubt = { ...record, tick: 1920, label: "sitting", shown: "walking", truth: "standing", confidence: 0.61 };
  state = nextView(state, { kind: "ask", id: "a".repeat(32), tick: 1920, label: "sitting", confidence: 0.61 });
  state = nextView(state, { kind: "decision", record: { ...doubt, why: "ask", exit: 3, macs: 1000 } });
  state = nextView(state, {
    kind: "outcome",
    outcome: {
      id: "a".repeat(32),
      state: "answered",
      answer: { label: 4, confidence: 0.93, model: "teacher" },
      agent: "activity",
      tick: 1920,
      local: { label: 3, confidenceQ15: 19988, exit: 3 },
      latencyMillis: 34,
    },
    local: "sitting",
    answer: "standing",
    use: "applied",
  });
  state = nextView(state, { kind: "event", tick: 1920, label: "standing", before: "walking", source: "cloud", confidence: 0.93 });
  state = nextView(state, { kind: "link", state: "online", detail: undefined });
  return { ...state, counters: COUNTERS, seconds: 39 };
}

/** Relative luminance of a colour of the 256-colour palette's cube or greys, after WCAG 2.2. */
function luminance(colour: number): number {
  const levels = [0, 95, 135, 175, 215, 255];
  const cube = colour - 16;
  const parts =
    colour >= 232
      ? [0, 0, 0].map(() => 8 + 10 * (colour - 232))
      : [cube / 36, (cube / 6) % 6, cube % 6].map((at) => levels[Math.floor(at)]!);
  const [red, green, blue] = parts.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

const plain = { rows: 30, hasColour: false };

describe("the screen", () => {
  it("says at which exit an unsure decision stopped, and that it was every one only of the last", () => {
    const depthOf = (exit: number) => {
      const state = example();
      const lines = render({ ...state, decision: { ...state.decision!, exit } }, { ...plain, columns: 80 });
      return lines.find((line) => line.includes("depth"));
    };
    expect(depthOf(0)).toContain("●───○───○───○  unsure at exit 1 of 4 ·");
    expect(depthOf(3)).toContain("unsure at every exit ·");
  });

  it("tells the whole story at 80 columns", () => {
    expect(render(example(), { ...plain, rows: 28, columns: 80 })).toEqual([
      "",
      "  dormouse activity                                   synthetic:1 · 10× · 0:39",
      "",
      "  ┌─┐┌┬┐┌─┐┌┐┌┌┬┐┬┌┐┌┌─┐",
      "  └─┐ │ ├─┤│││ │││││││ ┬                                in truth: standing",
      "  └─┘ ┴ ┴ ┴┘└┘─┴┘┴┘└┘└─┘                                    from the cloud",
      "",
      "  likely   ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━───────────────────────   61 %",
      "  depth    ●━━━●━━━●━━━●  unsure at every exit · 0 % of the compute saved",
      "",
      "  asked                                                                     ↑",
      "  says     ······················WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWtt",
      "  truth                          wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwtt",
      "           w walking  u upstairs  d downstairs  s sitting  t standing",
      "           l laying  r transition  CAPITAL sure  small unsure",
      "",
      "  cloud    ● online  12 asked · 11 answered · 1 waiting",
      "           unsure: sitting → asked → cloud: standing 93 % in 34 ms",
      "",
      "  right    96.7 % with the cloud · 91.1 % without · 88.9 % the net alone",
      "  totals   94 decisions · 75 % of the compute saved · 8 changes told",
      "  memory   18.3 KiB of state · 47.3 KiB model · no heap, nothing grows",
      "",
      "  Ctrl-C ends it, once the waiting asks are answered",
    ]);
  });

  it("cuts no reason at 80 columns, and fills a tall terminal with what happened last, newest first", () => {
    const reason = "unsure at every exit: the cloud's word holds; an ask costs more than it is worth";
    const joules = { compute: 1, radio: 0, sensor: 1, sleep: 1, load: 0 };
    const nothing = { stateOfCharge: undefined, batteryVolts: undefined, skinCelsius: undefined, limitCelsius: undefined };
    const spent = { joules, forecastCelsius: undefined, watts: 0.001, budgetFill: 1, budgetJoules: 9, budgetWatts: 0.002 };
    const state = example();
    const power: GovernorStatus = { ...nothing, ...spent, level: 0, duty: 1, driftStep: 0 };
    const lines = render({ ...state, power, decision: { ...state.decision!, reason } }, { rows: 50, columns: 80, hasColour: false });
    const at = lines.findIndex((line) => line.startsWith("  why"));
    expect(`${lines[at]!.slice(11)} ${lines[at + 1]!.trim()}`).toBe(reason);
    expect(lines.join("\n")).not.toContain("…");
    const lately = lines.findIndex((line) => line.startsWith("  lately"));
    expect(lines.slice(lately, lately + 2)).toEqual([
      "  lately    0:00  broker reached",
      "            0:00  standing (93 %, from the cloud)",
    ]);
    expect(render(state, { rows: 24, columns: 80, hasColour: false }).join()).not.toContain("lately");
  });

  it("keeps what matters at 40 columns", () => {
    expect(render(example(), { ...plain, columns: 40 })).toEqual([
      "",
      "  dormouse activity         10× · 0:39",
      "",
      "  STANDING          in truth: standing",
      "                        from the cloud",
      "",
      "  ━━━━━━━━━━━━━━━━━━───────────   61 %",
      "  ●━●━●━●  unsure · 0 % saved",
      "",
      "                                     ↑",
      "  ············WWWWWWWWWWWWWWWWWWWWWWWt",
      "              wwwwwwwwwwwwwwwwwwwwwwwt",
      "  w walking  u upstairs  d downstairs",
      "  s sitting  t standing  l laying",
      "  r transition",
      "  CAPITAL sure  small unsure",
      "",
      "  ● online  12 asked · 11 answered",
      "  unsure: sitting → asked →",
      "  cloud: standing 93 % in 34 ms",
      "",
      "  97 % with the cloud, 91 % without",
      "  94 decisions · 75 % saved",
      "  18.3 KiB of state · 47.3 KiB model",
      "",
      "  Ctrl-C ends it",
    ]);
  });

  it("counts an agent's alarms instead of its labels", () => {
    const tally = (found: number, falseAlarms: number) => ({ events: 3, found, alarms: found + falseAlarms, falseAlarms });
    const counters = { ...COUNTERS, truth: { ...COUNTERS.truth, alarms: { label: "fall", shown: tally(3, 0), device: tally(2, 4) } } };
    const rightOf = (state: ViewState, columns: number) => {
      const lines = render({ ...state, counters }, { ...plain, columns });
      const at = lines.findIndex((line) => line.includes("falls told"));
      return lines.slice(at, at + 2).map((line) => line.trimEnd());
    };
    expect(rightOf(example({ alarm: "fall" }), 80)).toEqual([
      "  right    with the cloud: 3 of 3 falls told, 0 false alarms",
      "           without: 2 of 3 falls told, 4 false alarms",
    ]);
    expect(rightOf(example({ alarm: "fall", hasBroker: false }), 80)[0]).toBe("  right    3 of 3 falls told, 0 false alarms");
  });

  it.each([
    [20, 10],
    [40, 16],
    [50, 20],
    [80, 24],
    [100, 30],
    [120, 50],
    [200, 60],
  ])("never leaves a terminal of %i × %i", (columns, rows) => {
    for (const state of [startView(INFO), example(), example({ hasBroker: false })]) {
      const lines = render(state, { columns, rows, hasColour: false });
      expect(lines.length).toBeLessThan(rows);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
    }
  });

  it("drops blank lines first when the terminal is low, and keeps the label", () => {
    const lines = render(example(), { columns: 80, rows: 12, hasColour: false });
    expect(lines).toHaveLength(11);
    expect(lines.join("\n")).toContain("in truth: standing");
    expect(lines).not.toContain("");
  });

  it("keeps the rows' names at 48 columns, and of a low terminal's legend the labels that the ribbon shows", () => {
    const lines = render(example(), { columns: 48, rows: 18, hasColour: false });
    expect(lines).toHaveLength(17);
    for (const name of ["likely", "depth", "says", "cloud"])
      expect(
        lines.some((line) => line.startsWith(`  ${name.padEnd(7)}`)),
        name,
      ).toBe(true);
    const text = lines.join("\n");
    for (const said of ["w walking", "t standing", "CAPITAL sure  small unsure"]) expect(text).toContain(said);
    expect(text).not.toContain("downstairs");
  });

  it("says what is sure and what is unsure on a line of its own where the legend's has no room", () => {
    const lines = render(example(), { ...plain, columns: 100, hasColour: true }).map(stripVTControlCharacters);
    const at = lines.findIndex((line) => line.includes("■ transition"));
    expect(lines[at]).not.toContain("█ sure");
    expect(lines[at + 1]!.trim()).toBe("█ sure  ▒ unsure");
  });

  it("says how sure it was once: with the reason where there is one, else with the depth", () => {
    const reason = "sure enough at exit 2 of 4";
    const state = example();
    const decision = { ...state.decision!, exit: 1, why: "exit" as const, macs: 250, reason };
    const nothing = { stateOfCharge: undefined, batteryVolts: undefined, skinCelsius: undefined, limitCelsius: undefined };
    const joules = { compute: 1, radio: 0, sensor: 1, sleep: 1, load: 0 };
    const spent = { joules, forecastCelsius: undefined, watts: 0.001, budgetFill: 0.8, budgetJoules: 39, budgetWatts: 0.001 };
    const power: GovernorStatus = { ...nothing, ...spent, level: 0, duty: 1, driftStep: 0 };
    const governed = render({ ...state, decision, power }, { ...plain, columns: 80 });
    expect(governed).toContain("  depth    ●━━━●───○───○  75 % of the compute saved");
    expect(governed).toContain(`  why      ${reason}`);
    expect(governed.join("\n").match(/exit 2 of 4/g)).toHaveLength(1);
    expect(render({ ...state, decision }, { ...plain, columns: 80 }).join("\n")).toContain("sure at exit 2 of 4 ·");
  });

  it("has colours that stand out on a white terminal as on a black one", () => {
    for (const colour of [GREEN, AMBER, RED, ...LABEL_COLOURS]) {
      const light = luminance(colour);
      expect(Math.min(1.05 / (light + 0.05), (light + 0.05) / 0.05), `colour ${colour}`).toBeGreaterThanOrEqual(3);
    }
    expect(new Set(LABEL_COLOURS).size).toBe(LABEL_COLOURS.length);
  });

  it("has escape codes only where colour is wanted", () => {
    expect(render(example(), { ...plain, columns: 80 }).join("")).not.toContain("\u001b");
    expect(render(example(), { ...plain, columns: 80, hasColour: true }).join("")).toContain("\u001b[1;38;5;");
  });

  it("says when the broker is away, and that it decides alone", () => {
    const away = nextView(example(), { kind: "link", state: "offline", detail: "connect ECONNREFUSED" });
    expect(render(away, { ...plain, columns: 100 }).join("\n")).toContain("○ offline decides alone: connect ECONNREFUSED");
    const none = render(example({ hasBroker: false }), { ...plain, columns: 100 }).join("\n");
    expect(none).toContain("○ none  no broker given: it never asks");
    expect(none).not.toMatch(/asked {5}|\d asked/);
  });

  it("marks an answer that is old news", () => {
    const lines = render({ ...example(), seconds: 60 }, { ...plain, columns: 100 }).join("\n");
    expect(lines).toContain("cloud: standing 93 % in 34 ms, 22 s ago");
  });

  it("says why there was no answer, and what it waits for at the end", () => {
    const outcome = { id: "b".repeat(32), state: "expired" as const, agent: "activity", tick: 1, latencyMillis: 30_000 };
    const local = { label: 3, confidenceQ15: 19988, exit: 3 };
    const late = nextView(example(), { kind: "outcome", outcome: { ...outcome, local }, local: "sitting", answer: undefined, use: "none" });
    const text = render({ ...late, phase: "draining" }, { ...plain, columns: 100 }).join("\n");
    expect(text).toContain("unsure: sitting → asked → expired");
    expect(text).toContain("waiting for 1 answer; Ctrl-C again leaves at once");
  });
});

describe("small things", () => {
  it("gives each label a letter of its own", () => {
    expect([...labelLetters(INFO.labels).values()]).toEqual(["w", "u", "d", "s", "t", "l", "r"]);
  });

  it("writes sensor time as people do", () => {
    expect([0, 9.9, 75, 3661].map(elapsedText)).toEqual(["0:00", "0:09", "1:15", "1:01:01"]);
  });
});
