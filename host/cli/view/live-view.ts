import type { Loop } from "../../agent/loop-types.ts";
import type { View, ViewInfo } from "../../agent/run-view.ts";
import type { CliIo, Terminal } from "../../core/system/surroundings.ts";
import type { GovernorStatus } from "../../policy/govern/governor-types.ts";
import { wantsColour } from "./paint.ts";
import { render } from "./render.ts";
import { nextView, startView } from "./view-state.ts";

/** Milliseconds between two drawings: calm to the eye, and cheap. */
const DRAW_MILLIS = 120;

/** Draws the state at a steady pace, at once when the terminal's size changes, and a last time when it closes. */
export function createLiveView(
  terminal: Terminal,
  { clock, env }: Pick<CliIo, "clock" | "env">,
  info: ViewInfo,
  loop: () => Loop | undefined,
  power?: () => GovernorStatus,
): View {
  const hasColour = wantsColour(env);
  let state = startView(info);
  let cancel = (): void => {};
  const draw = (): void => {
    const counters = loop()?.counters();
    state = { ...state, counters, power: power?.(), seconds: (counters?.frames ?? 0) / info.rateHz };
    terminal.draw(render(state, { ...terminal.size(), hasColour }));
  };
  const tick = (): void => {
    draw();
    cancel = clock.after(DRAW_MILLIS, tick);
  };
  const stopResize = terminal.onResize(draw);
  tick();
  return {
    onStep(step) {
      state = nextView(state, step);
    },
    phase(phase) {
      state = { ...state, phase };
      draw();
    },
    close() {
      cancel();
      stopResize();
      state = { ...state, phase: "done" };
      draw();
      terminal.finish();
    },
  };
}
