import { describe, expect, it } from "vitest";
import { createLoop } from "../../../../host/agent/loop.ts";
import { loopModel } from "../../../../host/agent/loop-inputs.ts";
import { loadAgent, openAgentModel } from "../../../../host/agent/registry.ts";
import type { SetPoint } from "../../../../host/core/session/session-types.ts";
import type { Asker } from "../../../../host/mqtt/asks/asker-types.ts";
import type { LoopGovernor } from "../../../../host/policy/govern/governor-types.ts";
import { createPrivacyBudget } from "../../../../host/policy/govern/privacy-budget.ts";
import { orderedSetPoint } from "../../../../host/policy/govern/set-point-order.ts";
import { FakeAsker, frames, MODEL, ScriptedSession } from "../../agent/fakes.ts";

const common = { agent: "activity", stableDecisions: 2, holdSeconds: 30, rateHz: 50, intervalHops: 1, deadlineSeconds: 30 };

function scripted(isAsking: boolean) {
  const session = new ScriptedSession([]);
  const connect = isAsking ? { connect: (events: ConstructorParameters<typeof FakeAsker>[0]): Asker => new FakeAsker(events) } : {};
  const loop = createLoop({ ...common, ...connect, model: MODEL, session, frames: (async function* () {})() });
  return { loop, last: () => session.setPoints.at(-1) };
}

describe("an ordered set-point", () => {
  it("replaces parts of the loop's own, each order the one before; an empty one takes it back", () => {
    const { loop, last } = scripted(true);
    const own = last();
    expect(loop.order({ maxExit: 1, askIntervalHops: 9 })).toBeUndefined();
    expect(last()).toEqual({ ...own, maxExit: 1, askIntervalHops: 9 });
    loop.order({ hopPatches: 32 });
    expect(last()).toEqual({ ...own, hopPatches: 32 });
    loop.order({});
    expect(last()).toEqual(own);
  });

  it("forbids asks, and allows them only where the loop has somebody to ask", () => {
    const asking = scripted(true);
    asking.loop.order({ askAllowed: false });
    expect(asking.last()).toMatchObject({ askAllowed: false });
    asking.loop.order({ askAllowed: true });
    expect(asking.last()).toMatchObject({ askAllowed: true });
    const alone = scripted(false);
    alone.loop.order({ askAllowed: true });
    expect(alone.last()).toMatchObject({ askAllowed: false });
  });

  it("forbids asks → the governor's audits stay here, too", async () => {
    const asks = async (order: Partial<SetPoint>): Promise<number> => {
      const privacy = createPrivacyBudget();
      const governor: LoopGovernor = {
        ...{ privacy, seconds: 0, reason: undefined },
        ...{ admits: () => true, onReset() {}, onDecision() {}, onAsk() {}, onOutcome() {} },
        ...{ isAudit: () => true, askPatches: () => 100, setPoint: () => ({}) },
      };
      const session = new ScriptedSession([{ why: "exit" }, { why: "exit" }]);
      let asker: FakeAsker | undefined;
      const connect = (events: ConstructorParameters<typeof FakeAsker>[0]): Asker => {
        asker = new FakeAsker(events);
        return asker;
      };
      const loop = createLoop({ ...common, connect, governor, model: MODEL, session, frames: frames(2) });
      loop.order(order);
      await loop.run();
      return asker!.queries.length;
    };
    expect([await asks({}), await asks({ askAllowed: false })]).toEqual([2, 0]);
  });

  it("gives way to a governor that holds back, and never takes its limit away", () => {
    const own: SetPoint = {
      maxExit: 3,
      hopPatches: 16,
      askAllowed: true,
      limitReason: "none",
      askIntervalHops: 1,
      thresholds: [0, 0, 0, 0],
    };
    const limit: Partial<SetPoint> = { maxExit: 1, hopPatches: 32, limitReason: "thermal", thresholds: [9, 9, 9, 9] };
    const cold = { maxExit: 1, hopPatches: 32, askAllowed: true, limitReason: "thermal", askIntervalHops: 1, thresholds: [9, 9, 9, 9] };
    expect(orderedSetPoint(own, {}, limit)).toEqual(cold);
    expect(orderedSetPoint(own, { maxExit: 2, hopPatches: 8, thresholds: [0, 20, 0, 0] }, limit)).toEqual({
      ...cold,
      thresholds: [9, 20, 9, 9],
    });
    expect(orderedSetPoint(own, { maxExit: 0 }, limit)).toMatchObject({ maxExit: 0, limitReason: "none" }); // the order held back, not the heat
    expect(orderedSetPoint(own, { askAllowed: true }, { askAllowed: false }).askAllowed).toBe(false);
    expect(orderedSetPoint({ ...own, askAllowed: false }, { askAllowed: true }).askAllowed).toBe(false);
  });

  it("that the core refuses changes nothing, and says why", async () => {
    const model = await openAgentModel(await loadAgent("activity", process.cwd()), {
      engine: "scalar",
    });
    const session = model.createSession();
    const loop = createLoop({ ...common, model: loopModel(model), session, frames: (async function* () {})() });
    expect(loop.order({ maxExit: 0 })).toBeUndefined();
    expect(loop.order({ maxExit: 7 })).toContain("set-point");
    const frame = new Int16Array(6);
    for (let tick = 1; tick <= 640; tick++) {
      for (const i of frame.keys()) frame[i] = ((tick * (i + 3) * 7919) % 8000) - 4000; // nothing that a wearer does: it would go deep
      expect(session.pushFrame(frame, tick).decision?.exit ?? 0).toBe(0);
    }
  });
});
