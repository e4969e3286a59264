import { describe, expect, it } from "vitest";
import { openTerminal } from "../../../../host/cli/view/terminal.ts";

function stream(isTTY: boolean) {
  const listeners = new Set<() => void>();
  const written: string[] = [];
  return {
    isTTY,
    columns: 90,
    rows: 25,
    written,
    listeners,
    write: (text: string) => written.push(text),
    on: (_: "resize", run: () => void) => listeners.add(run),
    off: (_: "resize", run: () => void) => listeners.delete(run),
  };
}

describe("the terminal", () => {
  it("is none where stdout is a pipe, or TERM is dumb", () => {
    expect(openTerminal(stream(false), {})).toBeUndefined();
    expect(openTerminal(stream(true), { TERM: "dumb" })).toBeUndefined();
  });

  it("draws from home on a screen of its own, and leaves the last drawing on the user's", () => {
    const out = stream(true);
    const terminal = openTerminal(out, {})!;
    terminal.draw(["one", "two"]);
    terminal.draw(["three"]);
    terminal.finish();
    terminal.finish();
    expect(out.written).toEqual([
      "\u001b[?1049h\u001b[?25l",
      "\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J",
      "\u001b[Hthree\u001b[K\u001b[J",
      "\u001b[?25h\u001b[?1049l",
      "three\n",
      "three\n",
    ]);
    expect(terminal.size()).toEqual({ columns: 90, rows: 25 });
  });

  it("tells of a resize until it is told to stop", () => {
    const out = stream(true);
    const stop = openTerminal(out, {})!.onResize(() => {});
    expect(out.listeners.size).toBe(1);
    stop();
    expect(out.listeners.size).toBe(0);
  });
});
