import { toFixedScale } from "../core/fixed-point.ts";
import type { AttentionBlock, Block, Evidence, Exit, LinearTensors, Manifest, ModelImage, SsmBlock, Track } from "../core/image-types.ts";
import { temperatureScale } from "../policy/temperature.ts";
import type { FeatureConfig } from "./batches.ts";
import { A_MAX, A_MIN, type AttentionConfig, INPUT_SCALE, NORM_EPSILON, NORM_SCALE, type SsmConfig } from "./net-config.ts";
import type { TrainedNet } from "./train-net.ts";

/** What an image adds to a net: its timing, its calibration and what it says of itself. */
export interface ExportOptions {
  readonly features: FeatureConfig;
  readonly frameRateMillihertz: number;
  readonly windowPatches: number;
  readonly hopPatches: number;
  readonly contextPatches: number;
  readonly ringPatches: number;
  readonly gapLimitFrames: number;
  readonly evidence?: Evidence;
  readonly track?: Track;
  readonly exits: readonly { readonly temperature: number; readonly trackedTemperature?: number; readonly threshold: number }[]; // threshold Q15
  readonly manifest: Manifest;
  /** One scale an output row, or the same for all rows of a matrix. Default: row. */
  readonly weightScales?: WeightScales;
}

type WeightScales = "row" | "tensor";

const LOGIT_SCALE = 2 ** -10; // FIXED_LOGIT_BITS
const DT_RAW_SCALE = 2 ** -12; // FIXED_DT_RAW_BITS
const STATE_BITS = 12; // FIXED_STATE_BITS
const Y_LIMIT_BITS = 7; // g = (y · siluZ) >> 7
/** Head room of the int16 residual over the largest value seen in training. */
const RESIDUAL_ROOM = 4;
/** Largest |bias| in accumulator steps: below it a sum of 512 products cannot leave int32. */
const BIAS_LIMIT = 2 ** 26;

/** Turns a trained net into the integers of a model image. Arithmetic: assembly/README.md. */
export function exportNet(net: TrainedNet, options: ExportOptions): ModelImage {
  const { config } = net;
  const { weightScales = "row" } = options;
  const residualScale = 2 ** Math.ceil(Math.log2((RESIDUAL_ROOM * Math.max(net.residualMax, 1e-3)) / 32767));
  const embed = quantizeLinear(net, weightScales, ["embed"], INPUT_SCALE, [residualScale]);
  const blocks: Block[] = config.blocks.map((block, i) =>
    block.kind === "ssm"
      ? exportSsm(net, weightScales, i, block, residualScale)
      : exportAttention(net, weightScales, i, block, residualScale),
  );
  const exits = config.exits.map((afterBlock, k): Exit => {
    const { temperature, trackedTemperature, threshold } = options.exits[k]!;
    return {
      afterBlock,
      epsilon: integerEpsilon(config.dModel, residualScale),
      head: quantizeLinear(net, weightScales, [`e${k}`], NORM_SCALE, [LOGIT_SCALE]),
      temperature: temperatureScale(temperature),
      ...(trackedTemperature && { trackedTemperature: temperatureScale(trackedTemperature) }),
      threshold,
    };
  });
  return {
    dModel: config.dModel,
    channels: config.channels,
    patchFrames: config.patchFrames,
    frameRateMillihertz: options.frameRateMillihertz,
    windowPatches: options.windowPatches,
    hopPatches: options.hopPatches,
    contextPatches: options.contextPatches,
    ringPatches: options.ringPatches,
    nClasses: config.nClasses,
    gapLimitFrames: options.gapLimitFrames,
    embed,
    features: options.features.stepCounts.map((step, c) => ({
      zeroPoint: options.features.zeroPointCounts[c]!,
      knee: options.features.kneeSteps?.[c] ?? 0,
      ...toFixedScale(1 / step),
    })),
    blocks,
    exits,
    ...(options.evidence && { evidence: options.evidence }),
    ...(options.track && { track: options.track }),
    manifest: options.manifest,
  };
}

function exportSsm(net: TrainedNet, weightScales: WeightScales, i: number, c: SsmConfig, residualScale: number): SsmBlock {
  const own = (name: string): string => `b${i}.${name}`;
  const scale = (name: string): number => net.scales[own(name)]!;
  const scanShift = 7 + Math.ceil(Math.log2(c.dState));
  const accScale = scale("C") * scale("siluX") * scale("B") * 2 ** (scanShift - STATE_BITS);
  const conv = quantizeLinear(net, weightScales, [own("conv")], scale("x"), [scale("conv")]); // rows of dConv taps, a channel each
  const logA = net.parameters[own("logA")]!;
  const d = net.parameters[own("D")]!;
  return {
    kind: "ssm",
    epsilon: integerEpsilon(net.config.dModel, residualScale),
    gateEpsilon: integerEpsilon(c.dInner, scale("y") * scale("siluZ") * 2 ** Y_LIMIT_BITS),
    dInner: c.dInner,
    nHeads: c.nHeads,
    headDim: c.headDim,
    dState: c.dState,
    dConv: c.dConv,
    scanShift,
    inProj: quantizeLinear(net, weightScales, ["z", "x", "B", "C", "dt"].map(own), NORM_SCALE, [
      scale("z"),
      scale("x"),
      scale("B"),
      scale("C"),
      DT_RAW_SCALE,
    ]),
    outProj: quantizeLinear(net, weightScales, [own("out")], NORM_SCALE, [residualScale]),
    convWeights: transpose(conv.weights, c.dInner, c.dConv),
    convBias: conv.bias,
    convMultiplier: conv.multiplier,
    convShift: conv.shift,
    siluX: siluTable(scale("conv"), scale("siluX")),
    siluZ: siluTable(scale("z"), scale("siluZ")),
    a: Int32Array.from(logA, (value) => Math.round(Math.min(A_MAX, Math.max(A_MIN, Math.exp(value))) * Math.LOG2E * 4096)),
    d: Int32Array.from(d, (value) => Math.round(value / (accScale / scale("siluX")))),
    y: toFixedScale(accScale / scale("y")),
  };
}

function exportAttention(
  net: TrainedNet,
  weightScales: WeightScales,
  i: number,
  c: AttentionConfig,
  residualScale: number,
): AttentionBlock {
  const own = (name: string): string => `b${i}.${name}`;
  const scale = (name: string): number => net.scales[own(name)]!;
  const epsilon = integerEpsilon(net.config.dModel, residualScale);
  return {
    kind: "attention",
    epsilon,
    mlpEpsilon: epsilon,
    nHeads: c.nHeads,
    nKvHeads: c.nKvHeads,
    headDim: c.headDim,
    windowPatches: c.windowPatches,
    dMlp: c.dMlp,
    score: toFixedScale(((scale("q") * scale("k")) / Math.sqrt(c.headDim)) * Math.LOG2E * 65536),
    qkv: quantizeLinear(net, weightScales, ["q", "k", "v"].map(own), NORM_SCALE, [scale("q"), scale("k"), scale("v")]),
    oProj: quantizeLinear(net, weightScales, [own("o")], scale("o"), [residualScale]),
    gateUp: quantizeLinear(net, weightScales, ["gate", "up"].map(own), NORM_SCALE, [scale("gate"), scale("up")]),
    down: quantizeLinear(net, weightScales, [own("down")], scale("m"), [residualScale]),
    silu: siluTable(scale("gate"), scale("silu")),
    out: toFixedScale((scale("v") * 2 ** -15) / scale("o")),
    mlp: toFixedScale((scale("silu") * scale("up")) / scale("m")),
  };
}

/** Stacks (nIn, n) parameter matrices into (nOut, nIn) int8 rows, a scale each or a matrix; `outScales` holds one a matrix. */
function quantizeLinear(
  net: TrainedNet,
  weightScales: WeightScales,
  names: readonly string[],
  inScale: number,
  outScales: readonly number[],
): LinearTensors {
  const sizes = names.map((name) => net.parameters[`${name}.b`]!.length);
  const nOut = sizes.reduce((sum, size) => sum + size, 0);
  const nIn = net.parameters[`${names[0]}.w`]!.length / sizes[0]!;
  const weights = new Int8Array(nOut * nIn);
  const bias = new Int32Array(nOut);
  const multiplier = new Int32Array(nOut);
  const shift = new Int8Array(nOut);
  let row = 0;
  names.forEach((name, part) => {
    const w = net.parameters[`${name}.w`]!;
    const b = net.parameters[`${name}.b`]!;
    const most = w.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    for (let o = 0; o < sizes[part]!; o++, row++) {
      let top = weightScales === "tensor" ? most : 0;
      for (let k = 0; k < nIn; k++) top = Math.max(top, Math.abs(w[k * sizes[part]! + o]!));
      const scale = Math.max(top / 127, Math.abs(b[o]!) / inScale / BIAS_LIMIT, 1e-8);
      for (let k = 0; k < nIn; k++)
        weights[row * nIn + k] = Math.max(-127, Math.min(127, Math.floor(w[k * sizes[part]! + o]! / scale + 0.5)));
      bias[row] = Math.floor(b[o]! / (inScale * scale) + 0.5);
      const fixed = toFixedScale((inScale * scale) / outScales[part]!);
      multiplier[row] = fixed.multiplier;
      shift[row] = fixed.shift;
    }
  });
  return { nIn, nOut, weights, bias, multiplier, shift };
}

/** (rows, columns) → (columns, rows). */
function transpose(values: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!;
  return result;
}

/** int8 q → int8 silu(q · inScale) / outScale, indexed by q + 128. */
function siluTable(inScale: number, outScale: number): Int8Array {
  return Int8Array.from({ length: 256 }, (_, index) => {
    const x = (index - 128) * inScale;
    return Math.max(-128, Math.min(127, Math.floor(x / (1 + Math.exp(-x)) / outScale + 0.5)));
  });
}

/** The norm's ε on a mean square of reals, as the core adds it to a sum of n squares of integers. */
function integerEpsilon(n: number, scale: number): number {
  return Math.max(1, Math.min(2 ** 31 - 1, Math.round((NORM_EPSILON * n) / (scale * scale))));
}
