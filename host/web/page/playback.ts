import { elapsedText } from "../../core/system/table.ts";
import { byId, create, post, setText } from "./dom.ts";
import { type RunState, WINDOWS } from "./run-state.ts";

const SPEEDS = [0.5, 1, 2, 5, 10, 20, 50, 0] as const; // 0: unpaced
const slider = byId<HTMLInputElement>("slider");
const play = byId<HTMLButtonElement>("play");
const speeds = byId<HTMLSelectElement>("speed");

export interface Playback {
  /** Looks at a time of the run; one that has not come yet is run to, if it is a recording. */
  goTo(seconds: number): void;
  /** Time has passed on the reader's screen: what is played back moves on. True while it does. */
  tick(millis: number): boolean;
  draw(run: RunState): void;
  /** A run has come: goes where the link's #t= points. */
  start(run: RunState): void;
}

/**
 * The slider, the buttons and the speed. What has been is in the page and is looked at there; the run itself is paused, stepped and
 * hurried at the server. The time looked at stands in the address as #t=seconds.
 */
export function createPlayback(run: () => RunState | undefined, onChange: () => void, onTrouble: (reason: string) => void): Playback {
  let isPlayingBack = false;
  let wanted: number | undefined; // a time that the run has not reached
  const steer = (body: object): void => void post("pace", body).catch((error: Error) => onTrouble(error.message));

  function look(seconds: number | undefined): void {
    const state = run();
    if (state === undefined) return;
    state.position = seconds;
    const link = seconds === undefined ? location.pathname : `#t=${Number(seconds.toFixed(2))}`;
    history.replaceState(null, "", link);
    onChange();
  }

  function goTo(seconds: number): void {
    const state = run();
    if (state === undefined) return;
    isPlayingBack = false;
    if (seconds <= state.last) look(Math.max(state.first, seconds));
    else if (state.info.durationSeconds === 0 || state.status.phase !== "running") look(undefined);
    else {
      wanted = seconds;
      steer({ hurryTo: seconds });
    }
  }

  /** One decision back or on; on from the last one, the run itself takes a step. */
  function step(by: 1 | -1): void {
    const state = run();
    if (state === undefined || state.ring.length === 0) return;
    isPlayingBack = false;
    const at = state.index + by;
    if (at >= state.ring.length) {
      look(undefined);
      steer({ isPaused: true, step: true });
    } else look(state.ring.number("seconds", Math.max(0, at)));
  }

  byId("back").addEventListener("click", () => step(-1));
  byId("forth").addEventListener("click", () => step(1));
  byId("live").addEventListener("click", () => {
    isPlayingBack = false;
    look(undefined);
  });
  play.addEventListener("click", () => {
    const state = run();
    if (state === undefined) return;
    if (state.position !== undefined) isPlayingBack = !isPlayingBack;
    else steer({ isPaused: !state.status.isPaused });
    onChange();
  });
  slider.addEventListener("input", () => goTo(Number(slider.value)));
  speeds.replaceChildren(
    ...SPEEDS.map((speed) => {
      const option = create("option", speed === 0 ? "max" : `${speed}×`);
      option.value = String(speed);
      return option;
    }),
  );
  speeds.addEventListener("change", () => steer({ speed: Number(speeds.value) }));
  const windows = byId("windows");
  for (const [name, seconds] of Object.entries(WINDOWS)) {
    const label = create("label", name);
    const input = create("input");
    Object.assign(input, { type: "radio", name: "window", checked: seconds === WINDOWS["2 min"] });
    input.addEventListener("change", () => {
      const state = run();
      if (state !== undefined) state.windowSeconds = seconds;
      onChange();
    });
    label.prepend(input);
    windows.append(label);
  }
  addEventListener("hashchange", () => {
    const seconds = linkedSeconds();
    if (seconds !== undefined) goTo(seconds);
  });

  return {
    goTo,
    tick(millis) {
      const state = run();
      if (!isPlayingBack || state?.position === undefined) return false;
      const speed = state.status.speed === 0 ? 10 : state.status.speed;
      const next = state.position + (millis / 1000) * speed;
      if (next >= state.last) {
        isPlayingBack = false;
        look(undefined);
      } else look(next);
      return true;
    },
    draw(state) {
      const { info, status } = state;
      if (wanted !== undefined && (state.last >= wanted || status.phase !== "running")) {
        const seconds = wanted;
        wanted = undefined;
        state.position = Math.min(seconds, state.last);
      }
      const most = Math.max(state.last, info.durationSeconds);
      if (document.activeElement !== slider || wanted === undefined) {
        for (const [name, value] of Object.entries({ min: state.first, max: most, step: info.hopSeconds }))
          if (slider.getAttribute(name) !== String(value)) slider.setAttribute(name, String(value));
        const at = String(state.at);
        if (slider.value !== at) slider.value = at;
      }
      slider.setAttribute("aria-valuetext", elapsedText(state.at));
      setText(byId("position"), `${elapsedText(state.at)} of ${elapsedText(most)}`);
      const isStill = state.position === undefined ? status.isPaused : !isPlayingBack;
      setText(play, isStill ? "Play" : "Pause");
      const isOver = status.phase === "done";
      play.disabled = isOver && state.position === undefined;
      speeds.disabled = isOver;
      byId<HTMLButtonElement>("live").disabled = state.position === undefined;
      if (document.activeElement !== speeds && speeds.value !== String(status.speed)) {
        if (![...speeds.options].some(({ value }) => value === String(status.speed))) {
          const option = create("option", `${status.speed}×`);
          option.value = String(status.speed);
          speeds.append(option);
        }
        speeds.value = String(status.speed);
      }
    },
    start(state) {
      const seconds = linkedSeconds();
      if (seconds !== undefined) goTo(seconds);
      else state.position = undefined;
    },
  };
}

function linkedSeconds(): number | undefined {
  const match = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  return match === null ? undefined : Number(match[1]);
}
