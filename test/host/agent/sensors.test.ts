import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LINK_DEVICE } from "../../../assembly/device/layout.ts";
import { loadAgent } from "../../../host/agent/registry.ts";
import { haptSensor } from "../../../host/agent/sensors/hapt-sensor.ts";
import { openSensor } from "../../../host/agent/sensors/open-sensor.ts";
import { paced } from "../../../host/agent/sensors/pace.ts";
import { createPaceControl } from "../../../host/agent/sensors/pace-control.ts";
import type { Sensor, SensorFrame } from "../../../host/agent/sensors/sensor.ts";
import { parseSensorSpec } from "../../../host/agent/sensors/spec.ts";
import { syntheticSensor } from "../../../host/agent/sensors/synthetic-sensor.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { openRecordings } from "../../../host/data/open-recordings.ts";
import type { Dataset } from "../../../host/data/recording.ts";
import { createLinkWriter } from "../../../host/link/stream.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TREMBLING, tempFolder, writeAgent } from "../cli/temp-agent.ts";
import { writeTinyHapt } from "../cli/tiny-hapt.ts";

async function take(frames: AsyncIterable<SensorFrame>, count: number): Promise<SensorFrame[]> {
  const taken: SensorFrame[] = [];
  for await (const frame of frames) {
    taken.push({ ...frame, frame: frame.frame.slice() });
    if (taken.length >= count) break;
  }
  return taken;
}

describe("a sensor's name on the command line", () => {
  it.each([
    ["synthetic", { kind: "synthetic", seed: 1 }],
    ["synthetic:42", { kind: "synthetic", seed: 42 }],
    ["replay:data/HAPT", { kind: "replay", path: "data/HAPT" }],
    ["replay:data#user=2,exp=3", { kind: "replay", path: "data", user: 2, experiment: 3 }],
    ["replay:data#user=SA01", { kind: "replay", path: "data", user: "SA01" }],
    ["replay:C:/x/day.dls", { kind: "replay", path: "C:/x/day.dls" }],
  ])("%s", (text, spec) => expect(parseSensorSpec(text)).toEqual(spec));

  it.each(["camera", "replay", "replay:", "synthetic:x", "replay:data#user=two", "replay:data#walker=1", "replay:#user=1"])(
    "refuses %s and says what there is",
    (text) => expect(() => parseSensorSpec(text)).toThrow(/Use synthetic.*replay:FILE\.dls/),
  );
});

const DATA: Dataset = {
  recordings: [3, 4].map((experiment) => ({
    name: `exp0${experiment}_user0${experiment - 1}`,
    subject: String(experiment - 1),
    channels: 6,
    frames: Int16Array.from({ length: 5 * 6 }, (_, i) => experiment * 100 + i),
    labels: Uint8Array.of(0, 1, 5, 12, 6),
    segments: [],
  })),
};

describe("replay of HAPT", () => {
  it("gives the frames of the chosen recording with their truth", async () => {
    const frames = await take(haptSensor(DATA, { user: 3 }, "data"), 9);
    expect(frames.map(({ tick, truth }) => [tick, truth])).toEqual([
      [0, undefined],
      [1, "walking"],
      [2, "standing"],
      [3, "transition"],
      [4, "laying"],
    ]);
    expect([...frames[1]!.frame]).toEqual([406, 407, 408, 409, 410, 411]);
  });

  it("leaves a gap between two recordings, so that the model begins anew", async () => {
    const ticks = (await take(haptSensor(DATA, {}, "data"), 99)).map(({ tick }) => tick);
    expect(ticks).toEqual([0, 1, 2, 3, 4, 1005, 1006, 1007, 1008, 1009]);
  });

  it("says which recordings there are when the selection is empty", () => {
    expect(() => haptSensor(DATA, { user: 9 }, "data")).toThrow(/no recording with user=9\. .*user=2,exp=3 {2}user=3,exp=4/);
  });
});

describe("replay of the data set that an agent names", () => {
  it("gives the fall agent SisFall's trials, of one wearer where one is named", async () => {
    const folder = tempFolder();
    try {
      for (const trial of ["SA01/D01_SA01_R01", "SE06/F03_SE06_R02"]) {
        mkdirSync(join(folder.path, trial, ".."), { recursive: true });
        writeFileSync(join(folder.path, `${trial}.txt`), "0,-256,0,0,0,0,0,0,0;\n".repeat(8));
      }
      const fall = await loadAgent("fall");
      const truths = async (choice: string) =>
        (await take(openSensor(`replay:${folder.path}${choice}`, fall), 99)).map(({ tick, truth }) => [tick, truth]);
      expect(await truths("#user=SE06")).toEqual([
        [0, "fall"],
        [1, "fall"],
      ]);
      expect(await truths("")).toEqual([
        [0, "daily"],
        [1, "daily"],
        [1002, "fall"],
        [1003, "fall"],
      ]);
      expect(() => openSensor(`replay:${folder.path}#user=SA09`, fall)).toThrow(/it has wearers SA01, SE06\./);
    } finally {
      folder.remove();
    }
  });
});

describe("the synthetic sensor", () => {
  it("repeats itself for the same seed and not for another", async () => {
    const [one, again, other] = await Promise.all([1, 1, 2].map((seed) => take(syntheticSensor(TREMBLING, seed), 50)));
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one![0]).toMatchObject({ tick: 0, truth: "standing" });
  });
});

describe("opening a sensor", () => {
  let folder: ReturnType<typeof tempFolder>;
  beforeEach(() => {
    folder = tempFolder();
  });
  afterEach(() => folder.remove());

  it("refuses a missing path, a broken synthetic wearer and a file without frames", async () => {
    const agent = await loadAgent(writeAgent(folder.path));
    expect(() => openSensor("replay:nowhere", agent, folder.path)).toThrow(/nothing to replay at .*nowhere/);
    writeFileSync(join(folder.path, "noise.dls"), Buffer.alloc(500, 7));
    expect(() => openSensor("replay:noise.dls", agent, folder.path)).toThrow(/holds no sensor frame/);
    writeFileSync(join(folder.path, "synthetic.json"), '{"version":2}');
    expect(() => openSensor("synthetic", agent, folder.path)).toThrow(/no synthetic wearer of version 1/);
  });

  it("replays a link stream as it was when it was opened: what is added, torn or cut off later changes nothing", async () => {
    const agent = await loadAgent(writeAgent(folder.path));
    const path = join(folder.path, "day.dls");
    const chunks: Uint8Array[] = [];
    const writer = createLinkWriter((bytes) => void chunks.push(bytes.slice()));
    for (let tick = 1; tick <= 30; tick += 10) writer.sensor(LINK_DEVICE, tick, 6, new Int16Array(60).fill(tick));
    writeFileSync(path, Buffer.concat(chunks));
    const all = openSensor("replay:day.dls", agent, folder.path);
    expect(all.frames).toBe(30);
    const frames = all[Symbol.asyncIterator]();
    expect((await frames.next()).value).toMatchObject({ tick: 1 });
    appendFileSync(path, Buffer.concat(chunks)); // it grows while it is played
    writeFileSync(path, ""); // and is emptied
    const rest = [];
    for (let next = await frames.next(); !next.done; next = await frames.next()) rest.push(next.value.tick);
    expect(rest).toEqual(Array.from({ length: 29 }, (_, i) => i + 2));
    writeFileSync(path, Buffer.concat(chunks).subarray(0, -20)); // its writer died within a frame
    expect(openSensor("replay:day.dls", agent, folder.path).frames).toBe(20);
  });

  it.each(["replay:HAPT", "SisFall"])("refuses IMU recordings for a model of other channels or counts: %s", async (path) => {
    const agent = await loadAgent(writeAgent(folder.path));
    writeTinyHapt(folder.path);
    const image = readImage(new Uint8Array(readFileSync(agent.modelPath)));
    const fine = image.manifest.channels.map((channel) => ({ ...channel, countsPerUnit: 32 }));
    const gas = image.manifest.channels.map((_, c) => ({ name: `gas${c}`, unit: "ppm", countsPerUnit: 8 }));
    for (const channels of [fine, gas]) {
      const manifest = { ...image.manifest, channels };
      writeFileSync(agent.modelPath, writeImage({ ...image, manifest }));
      const open = path.startsWith("replay:")
        ? () => openSensor(path, agent, folder.path)
        : () => openRecordings(join(folder.path, path), manifest, "sisfall");
      expect(open).toThrow(expect.objectContaining({ code: "RECORDINGS_CHANNELS" }));
    }
  });

  it("reads a folder as the layout that the agent names, not as HAPT: an agent of CSV files refuses HAPT", async () => {
    const source = `import { defineAgent } from "dormouse-edge";
export default defineAgent({ name: "own", model: "model.dmm", data: "csv", sensor: { kind: "imu" } });`;
    const agent = await loadAgent(writeAgent(folder.path, source));
    const path = writeTinyHapt(folder.path);
    expect(() => openSensor(`replay:${path}`, agent)).toThrow(expect.objectContaining({ code: "CSV_NONE" }));
  });

  it("refuses a sensor of another rate than the agent's", async () => {
    const source = `import { defineAgent } from "dormouse-edge";
export default defineAgent({ name: "fast", model: "model.dmm", synthetic: "synthetic.json", sensor: { kind: "imu", rateHz: 100 } });`;
    const agent = await loadAgent(writeAgent(folder.path, source));
    expect(() => openSensor("synthetic:1", agent, folder.path)).toThrow(/gives 6 channels at 50 Hz, agent fast takes 6 at 100 Hz/);
  });
});

/** Frames with the given ticks, at 50 Hz. */
function sensorOf(ticks: readonly number[]): Sensor {
  return {
    name: "test",
    rateHz: 50,
    channels: 6,
    async *[Symbol.asyncIterator]() {
      for (const tick of ticks) yield { tick, frame: new Int16Array(6) };
    },
  };
}

const range = (count: number): number[] => [...Array(count).keys()];

/** Lets promises run, then moves the clock to the next timer, until the frames end; returns when each frame came. */
async function timesOf(frames: AsyncIterable<SensorFrame>, clock: ManualClock): Promise<number[]> {
  const times: number[] = [];
  let isDone = false;
  const done = (async () => {
    for await (const _ of frames) times.push(clock.now());
    isDone = true;
  })();
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
  }
  await done;
  return times;
}

describe("pacing", () => {
  it("sleeps once a hop, until the hop's last frame is due", async () => {
    const clock = new ManualClock();
    const times = await timesOf(paced(sensorOf(range(8)), { clock, speed: 1, hopFrames: 4 }), clock);
    expect(times.slice(0, 3)).toEqual([0, 0, 0]);
    expect(times[3]).toBeCloseTo(80, 0);
    expect(times[7]).toBeCloseTo(160, 0);
  });

  it("goes N times as fast at speed N, and does not wait for a long gap in the ticks", async () => {
    const clock = new ManualClock();
    const ticks = [...range(8), ...range(8).map((tick) => tick + 100_000)];
    const times = await timesOf(paced(sensorOf(ticks), { clock, speed: 4, hopFrames: 4 }), clock);
    expect(times[15]).toBeGreaterThan(75);
    expect(times[15]).toBeLessThan(90);
  });

  it("stops after the given sensor seconds", async () => {
    const clock = new ManualClock();
    const paces = paced(sensorOf(range(500)), { clock, speed: Number.POSITIVE_INFINITY, hopFrames: 64, seconds: 2 });
    expect(await timesOf(paces, clock)).toHaveLength(100);
  });

  it("follows its control: pause, one step of a hop, another speed, hurrying to a time", async () => {
    const clock = new ManualClock();
    const control = createPaceControl(1);
    const seen: number[] = [];
    const done = (async () => {
      for await (const { tick } of paced(sensorOf(range(400)), { clock, speed: 1, hopFrames: 50, control })) seen.push(tick);
    })();
    const settle = async (millis: number) => {
      for (let i = 0; i < millis; i += 10) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.advance(10);
      }
      await new Promise((resolve) => setImmediate(resolve));
      return seen.length;
    };
    expect(await settle(1500)).toBe(99); // at 50 Hz: one hop, and the frames before the next hop's last one
    control.pause();
    expect(await settle(5000)).toBe(99);
    control.step();
    expect(await settle(100)).toBe(149);
    control.setSpeed(10); // still paused
    expect(await settle(1000)).toBe(149);
    control.resume();
    expect(await settle(110)).toBe(199);
    control.pause();
    control.hurryTo(6);
    expect(await settle(100)).toBe(299); // and then it is paused again
    expect(control.seconds).toBe(6);
    control.resume();
    await settle(400);
    await done;
    expect(seen).toHaveLength(400);
  });

  it("wakes from its sleep when it is told to stop", async () => {
    const stop = new AbortController();
    const clock = new ManualClock();
    const frames = take(paced(sensorOf(range(500)), { clock, speed: 1, hopFrames: 50, signal: stop.signal }), 500);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await frames).toHaveLength(49);
    expect(clock.timers).toBe(0);
  });
});
