import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FAULTS_ALL } from "../../../assembly/layout.ts";
import { createLoop } from "../../../host/agent/loop.ts";
import { loopModel } from "../../../host/agent/loop-inputs.ts";
import type { LoopStep } from "../../../host/agent/loop-types.ts";
import { sensorFaultNames, sensorFaultText } from "../../../host/agent/sensor-fault.ts";
import { sensorText, stepText } from "../../../host/agent/step-text.ts";
import { Model } from "../../../host/core/session/model.ts";
import { createSyntheticWearer, type SyntheticParameters } from "../../../host/data/synthetic.ts";

const folder = new URL("../../../agents/activity/", import.meta.url);
const parameters = JSON.parse(readFileSync(new URL("synthetic.json", folder), "utf8")) as SyntheticParameters;
const FRAMES = 50 * 20;

it("an implausible sensor is told once when it begins and once when it ends, and its decisions are withheld", async () => {
  const model = await Model.open(new URL("model.dmm", folder).pathname);
  const wearer = createSyntheticWearer({ parameters, seed: 3, schedule: [{ label: "walking", seconds: 1000 }] });
  async function* frames() {
    for (let tick = 0; tick < 3 * FRAMES; tick++) {
      const { frame } = wearer.next();
      const isWrong = tick >= FRAMES && tick < 2 * FRAMES;
      yield { tick, frame: isWrong ? frame.map((v, c) => (c < 3 ? Math.min(32767, v * 9.8) : v)) : frame };
    }
  }
  const steps: LoopStep[] = [];
  const loop = createLoop({
    agent: "activity",
    ...{ stableDecisions: 1, holdSeconds: 10, rateHz: 50, intervalHops: 1, deadlineSeconds: 30 },
    model: loopModel(model),
    session: model.createSession(),
    frames: frames(),
    onStep: (step) => steps.push(step),
  });
  await loop.run();
  const told = steps.filter((step) => step.kind === "sensor-fault");
  expect(told.map(({ faults }) => faults.includes("accelerometer"))).toEqual([
    true,
    ...told.slice(1, -1).map(() => expect.anything()),
    false,
  ]);
  expect(told.at(-1)!.faults).toEqual([]);
  expect(told[0]!.tick - FRAMES).toBeLessThan(50 * 10);
  const records = steps.flatMap((step) => (step.kind === "decision" ? [step.record] : []));
  const withheld = records.filter(({ reason }) => reason.startsWith("withheld: the accelerometer"));
  expect(withheld.length).toBeGreaterThan(8);
  expect(withheld.every(({ why, shown }) => why === "deferred" && shown === undefined)).toBe(true);
  expect(records.at(-1)!.shown).toBe("walking");
  expect(loop.counters()).toMatchObject({ sensorFaults: [] });
  expect(loop.counters().withheld).toBeGreaterThanOrEqual(withheld.length);
});

it("every fault has a name and a sentence", () => {
  const names = sensorFaultNames(FAULTS_ALL);
  expect(names).toHaveLength(5);
  for (const name of names) expect(sensorText([name])).toBe(`no answers: ${sensorFaultText([name])}`);
  const step = { kind: "sensor-fault", tick: 1, faults: [] } as const;
  expect(stepText(step, { agent: "a", labels: [] }, false)).toBe("the sensor is plausible again");
});
