import { elapsedText } from "../../core/system/table.ts";
import { createCharts, drawKeys } from "./charts.ts";
import { drawAsks, drawEvents, drawLink, drawOutbox, watchCloud } from "./cloud.ts";
import { byId, setText } from "./dom.ts";
import { createFleet } from "./fleet.ts";
import { createPlayback } from "./playback.ts";
import { drawLegend, drawReadout, drawRibbon, watchRibbon } from "./ribbon.ts";
import { RunState } from "./run-state.ts";
import { openStream } from "./stream.ts";
import { onThemeChange } from "./theme.ts";
import { drawAccuracy, drawTiles, drawVerdict } from "./verdict.ts";

// The page's script: messages change the state, and one animation frame draws what has changed.

let run: RunState | undefined;
let cursor: number | undefined;
let isDue = false;
let drawnAt = performance.now();

function wantDraw(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(draw);
}

function draw(now: number): void {
  isDue = false;
  const millis = Math.min(100, now - drawnAt);
  drawnAt = now;
  fleet.draw(now);
  if (run === undefined) return;
  const isMoving = playback.tick(millis);
  playback.draw(run);
  drawVerdict(run);
  drawAccuracy(run);
  drawTiles(run);
  drawRibbon(run, cursor);
  drawReadout(run, cursor);
  charts.draw(run);
  charts.setCursor(cursor);
  drawLink(run);
  drawOutbox(run);
  drawAsks(run, playback.goTo);
  drawEvents(run);
  drawHead(run);
  if (isMoving) wantDraw();
}

function drawHead({ status, info }: RunState): void {
  const board = info.board === undefined ? [] : [`priced as ${info.board}`];
  setText(byId("who"), [info.agent, info.node, info.sensor, ...board].join(" · "));
  const pace = status.isPaused ? "paused" : status.speed === 0 ? "unpaced" : `${status.speed}×`;
  const ends = { running: pace, draining: "waiting for the last answers", done: "ended" };
  setText(byId("clock"), `${elapsedText(status.seconds)} · ${ends[status.phase]}`);
  const banner = byId("banner");
  banner.hidden = status.warning === "";
  setText(banner, status.warning);
}

function notice(text: string): void {
  const line = byId("notice");
  line.hidden = text === "";
  setText(line, text);
}

function moveCursor(seconds: number | undefined): void {
  cursor = seconds;
  wantDraw();
}

const fleet = createFleet(wantDraw);
const playback = createPlayback(() => run, wantDraw, notice);
const charts = createCharts(moveCursor);
watchRibbon(() => run, moveCursor, playback.goTo);
watchCloud(() => run, notice);
onThemeChange(() => {
  charts.restyle();
  wantDraw();
});
addEventListener("resize", wantDraw);

openStream(
  {
    run(hello) {
      const before = run;
      run = new RunState(hello);
      if (before !== undefined) run.windowSeconds = before.windowSeconds;
      byId("waiting").hidden = true;
      byId("run").hidden = false;
      byId("assistant").hidden = !hello.info.controls.canAsk;
      drawKeys(run);
      drawLegend(run);
      if (before?.position === undefined) playback.start(run);
      else run.position = before.position;
      wantDraw();
    },
    frame(frame) {
      if (run === undefined) return;
      run.apply(frame);
      wantDraw();
    },
    fleet(hello) {
      byId("waiting").hidden = true;
      fleet.hello(hello);
    },
    "fleet-frame": (frame) => fleet.frame(frame),
    lost: ({ messages }) => notice(`This page reads too slowly: ${messages} messages were left out, and it was brought up to date.`),
    bye: ({ reason }) => notice(reason),
  },
  (isOpen) => notice(isOpen ? "" : "The server does not answer. Trying again …"),
);
