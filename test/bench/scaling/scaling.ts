import { join } from "node:path";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import type { EngineName } from "../../../host/core/session/session-types.ts";
import type { Output } from "../../../host/core/system/output.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import type { CliIo } from "../../../host/core/system/surroundings.ts";
import { activityShaped, type RandomImageOptions, randomImage } from "../../golden/random-image.ts";
import { hasMosquitto } from "../../support/broker.ts";
import { randomPatches, seeded } from "../../support/random.ts";
import { deepSession, stepper } from "../deep-session.ts";
import { benchGateway } from "../gateway.ts";
import { least, timePaired } from "../measure.ts";

/** A figure against what it depends on, a line for each name. */
export interface ScalingPanel {
  readonly title: string;
  readonly x: string;
  readonly unit: string;
  /** Which axes are logarithmic. */
  readonly logarithmic: "none" | "x" | "both";
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

const WIDTHS = [16, 32, 64, 128, 256];
const LAYERS = [1, 2, 4, 8, 16];
const STATES = [4, 8, 16, 32, 64];
const LAST_PATCH = 16_384;
const POSITION_ROUNDS = 9;
const BATCHES = [1, 2, 4, 8, 16, 32, 64];
const SESSIONS = [1, 4, 16, 64, 256];
const DEVICES = [1, 50, 100, 200];
const GATEWAY_MINUTES = 0.25;

/** What a step, a window or a second costs when one size grows and the others stay. */
export async function measureScaling(io: CliIo, out: Output): Promise<ScalingPanel[]> {
  const say = (what: string): void => out.note(`measures the cost against ${what}`);
  say("width, layers and state");
  const panels = [
    stepPanel("width", "dModel", "both", WIDTHS, widthShape),
    stepPanel("layers", "blocks", "none", LAYERS, (blocks) => ({ pattern: "SSAS".repeat(4).slice(0, blocks) })),
    stepPanel("state", "dState", "none", STATES, (dState) => ({ ssm: { ...SSM, dState } })),
  ];
  say("sequence length, batch and sessions");
  panels.push(await positionPanel(), await batchPanel(), await sessionPanel());
  if (!hasMosquitto()) out.note("mosquitto is not installed: the cost against devices is not measured");
  else {
    say("devices");
    panels.push(await devicePanel(io, out));
  }
  return panels;
}

const SSM = { nHeads: 4, headDim: 16, dState: 8, dConv: 4 };

/** The activity agent's shape with heads in proportion to the width. */
function widthShape(dModel: number): RandomImageOptions {
  return {
    dModel,
    ssm: { ...SSM, nHeads: dModel / 8 },
    attention: { nHeads: dModel / 8, nKvHeads: dModel / 16, headDim: 8, windowPatches: 32, dMlp: 2 * dModel },
  };
}

function stepPanel(
  what: string,
  x: string,
  logarithmic: ScalingPanel["logarithmic"],
  sizes: readonly number[],
  shape: (size: number) => RandomImageOptions,
): ScalingPanel {
  const subjects = sizes.flatMap((size) => {
    const bytes = writeImage(activityLike(shape(size)));
    return (["simd", "scalar"] as const).map((engine) => {
      const model = Model.load(bytes, { engine });
      return { name: `${engine} ${size}`, ...stepper(model, [deepSession(model)]) };
    });
  });
  const nanos = timePaired(subjects, 15, 4, least);
  const points = (engine: EngineName) => sizes.map((size) => [size, nanos.get(`${engine} ${size}`)! / 1000] as const);
  return {
    ...{ title: `A step, by ${what}`, x, unit: "µs", logarithmic },
    lines: [
      { name: "SIMD", points: points("simd") },
      { name: "scalar", points: points("scalar") },
    ],
  };
}

function activityLike(options: RandomImageOptions) {
  const { dModel, channels, patchFrames, nClasses, windowPatches, hopPatches, contextPatches, ringPatches } = activityShaped(1);
  const blocks = options.pattern?.length ?? 4;
  return randomImage(1, {
    ...{ dModel, channels, patchFrames, nClasses, windowPatches, hopPatches, contextPatches, ringPatches },
    ...{ pattern: "SSAS", exitsAfter: [blocks - 1], smoothing: false, lda: false, ssm: SSM },
    attention: { nHeads: 4, nKvHeads: 2, headDim: 8, windowPatches: 32, dMlp: 64 },
    ...options,
  });
}

const openActivity = (): Promise<Model> => Model.open(join(packageRoot(), "agents/activity/model.dmm"));

async function positionPanel(): Promise<ScalingPanel> {
  const model = await openActivity();
  const session = deepSession(model);
  const { run } = stepper(model, [session]);
  const micros = new Map<number, number[]>();
  for (let round = 0; round < POSITION_ROUNDS; round++) {
    session.reset();
    for (let from = 16; from <= LAST_PATCH; from *= 2) {
      const start = performance.now();
      run(from === 16 ? 16 : from / 2); // the patches up to `from`
      micros.set(from, [...(micros.get(from) ?? []), ((performance.now() - start) * 1000) / (from === 16 ? 16 : from / 2)]);
    }
  }
  const points = [...micros].map(([position, all]) => [position, least(all)] as const);
  return { title: "A step, by sequence length", x: "patches so far", unit: "µs", logarithmic: "x", lines: [{ name: "SIMD", points }] };
}

async function batchPanel(): Promise<ScalingPanel> {
  const model = await Model.open(join(packageRoot(), "agents/activity/teacher/a.dmm"));
  const { channels, patchFrames, windowPatches } = model.image;
  const batch = model.createBatch(windowPatches);
  const windows = Array.from({ length: BATCHES.at(-1)! }, (_, seed) =>
    Int8Array.from(randomPatches(seeded(seed), channels * patchFrames, windowPatches).flatMap((patch) => [...patch])),
  );
  const subjects = BATCHES.map((size) => ({
    name: String(size),
    run(calls: number) {
      for (let i = 0; i < calls; i++) batch.run(windows.slice(0, size));
    },
  }));
  const nanos = timePaired(subjects, 15, 20, least);
  const points = BATCHES.map((size) => [size, nanos.get(String(size))! / 1000 / size] as const);
  return {
    title: "A window of the teacher, by batch",
    x: "windows in a batch",
    unit: "µs",
    logarithmic: "x",
    lines: [{ name: "SIMD", points }],
  };
}

async function sessionPanel(): Promise<ScalingPanel> {
  const model = await openActivity();
  const sessions = Array.from({ length: SESSIONS.at(-1)! }, () => deepSession(model));
  const nanos = timePaired(
    SESSIONS.map((count) => ({ name: String(count), ...stepper(model, sessions.slice(0, count)) })),
    15,
    20,
    least,
  );
  const points = SESSIONS.map((count) => [count, nanos.get(String(count))! / 1000] as const);
  return { title: "A step, by sessions in turn", x: "sessions", unit: "µs", logarithmic: "x", lines: [{ name: "SIMD", points }] };
}

async function devicePanel(io: CliIo, out: Output): Promise<ScalingPanel> {
  const points: (readonly [number, number])[] = [];
  for (const devices of DEVICES) {
    const { cpuOfACore } = await benchGateway(io, out, { devices, minutes: GATEWAY_MINUTES });
    points.push([devices, 100 * cpuOfACore]);
  }
  return { title: "The gateway, by devices", x: "devices", unit: "% of a core", logarithmic: "none", lines: [{ name: "gateway", points }] };
}
