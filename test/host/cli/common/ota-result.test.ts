import { describe, expect, it } from "vitest";
import { otaResult } from "../../../../host/cli/common/ota-result.ts";
import type { SendResult } from "../../../../host/mqtt/commands/command-sender.ts";

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const sent = {
  ...{ node: "wrist-1", site: "lab", verb: "set-point", payload: { maxExit: 3, thresholds: [100] } as Record<string, unknown> },
  ...{ waitSeconds: 10, expiresWallMillis: NOW + 24 * HOUR },
};
const said = (result: SendResult, over: Partial<typeof sent> = {}) => otaResult({ ...sent, ...over }, result, NOW);
const none = (state?: { state: "awake" | "asleep" | "offline"; untilWallMillis?: number }, hasNoReceiver = false): SendResult => ({
  ...{ sent: true, result: "none", state, hasNoReceiver },
});

describe("what ota says of a command", () => {
  it("a set-point that is held back → what is in force, and what is not as ordered", () => {
    const effect = { maxExit: 1, hopPatches: 16, thresholds: [29_000, 28_000] };
    const { lines, document } = said({ sent: true, result: "obeyed", effect });
    expect(document).toEqual({ sent: true, result: "obeyed", effect });
    expect(lines.join(" ")).toMatch(/maxExit 1, hopPatches 16.*Held back.*: maxExit, thresholds\./);
    const asOrdered = said({ sent: true, result: "obeyed", effect: { ...effect, maxExit: 3, thresholds: [100, 28_000] } });
    expect(asOrdered.lines.join(" ")).not.toContain("Held back");
  });

  it("a node that sleeps → waits, until when, and no failure", () => {
    const { lines, document } = said(none({ state: "asleep", untilWallMillis: NOW + HOUR }));
    expect(document).toMatchObject({ result: "asleep", untilWallMillis: NOW + HOUR });
    expect(lines.join(" ")).toMatch(/asleep until 2026-01-01T01:00:00Z.*waits in the node's session/);
  });

  it.each<[string, SendResult, Partial<typeof sent>?]>([
    ["COMMAND_NOT_SENT", { sent: false, reason: "the broker was not reached" }],
    ["COMMAND_REFUSED", { sent: true, result: "refused", refusal: "takes-none", reason: "a gateway takes no commands yet" }],
    ["NODE_NOT_BACK", { sent: true, result: "obeyed", effect: {}, isBack: false }],
    ["NODE_UNKNOWN", none()],
    ["NODE_UNKNOWN", none(undefined, true)],
    ["NODE_SILENT", none({ state: "awake" })],
    ["NODE_OFFLINE", none({ state: "offline" })],
    ["NODE_OFFLINE", none({ state: "asleep", untilWallMillis: NOW - HOUR })],
    ["NODE_OFFLINE", none({ state: "asleep" })],
    ["COMMAND_LOST", none({ state: "asleep", untilWallMillis: NOW + HOUR }, true)],
    ["COMMAND_LOST", none({ state: "awake" }, true)],
    ["COMMAND_EXPIRES", none({ state: "asleep", untilWallMillis: NOW + HOUR }), { expiresWallMillis: NOW + 1000 }],
    ["COMMAND_EXPIRES", none({ state: "asleep", untilWallMillis: Number.MAX_SAFE_INTEGER })],
  ])("%s for case %#", (code, result, over) => {
    expect(() => said(result, over)).toThrow(expect.objectContaining({ code }));
  });
});
