import { describe, expect, it } from "vitest";
import { reasonText } from "../../../host/agent/reason.ts";
import type { Decision } from "../../../host/core/session/session-types.ts";

const said = (exit: number, why: Decision["why"]) =>
  reasonText({ exit, why, rebuilds: 0 } as Decision, 4, "online", { held: undefined, isAsked: false });

describe("why a decision is as it is", () => {
  it("is doubt at every exit only where every exit was run", () => {
    expect(said(3, "ask")).toBe("unsure at every exit: asked the cloud");
    expect(said(0, "ask")).toBe("unsure at exit 1 of 4 (no deeper allowed): asked the cloud");
    expect(said(1, "deferred")).toBe("unsure at exit 2 of 4 (no deeper allowed), asked not long ago");
  });

  it("says whose word holds after an answer, and where nothing could be asked", () => {
    const decision = { exit: 3, why: "deferred", rebuilds: 0 } as Decision;
    const held = (by: "cloud" | "local") => reasonText(decision, 4, "online", { held: by, isAsked: true });
    expect(held("cloud")).toBe("unsure at every exit: the cloud's word holds");
    expect(held("local")).toBe("unsure at every exit: its own word holds, the cloud was less sure");
    const unsent = reasonText({ ...decision, why: "ask" }, 4, "online", { held: undefined, isAsked: false }, false);
    expect(unsent).toBe("unsure at every exit, and nothing could be asked");
  });

  it("names the exit that was sure", () => {
    expect(said(1, "exit")).toBe("sure enough at exit 2 of 4");
  });
});
