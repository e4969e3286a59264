import { toFixedScale } from "../core/arithmetic/fixed-point.ts";
import type { Block, Exit, Lda, Manifest, ModelImage, Plausibility, Smoothing } from "../core/image/image-types.ts";
import { temperatureScale } from "../policy/certify/temperature.ts";
import type { FeatureConfig } from "./batches.ts";
import { kindOfConfig } from "./blocks/block.ts";
import { INPUT_SCALE, NORM_SCALE } from "./net-constants.ts";
import { type Exporter, integerEpsilon, quantizeLinear, type WeightScales } from "./quantise.ts";
import type { TrainedNet } from "./train-net.ts";

/** What an image adds to a net: timing, calibration and manifest. */
export interface ExportOptions {
  readonly features: FeatureConfig;
  readonly frameRateMillihertz: number;
  readonly windowPatches: number;
  readonly hopPatches: number;
  readonly contextPatches: number;
  readonly ringPatches: number;
  readonly gapLimitFrames: number;
  readonly lda?: Lda;
  readonly smoothing?: Smoothing;
  readonly plausibility?: Plausibility;
  readonly exits: readonly { readonly temperature: number; readonly smoothedTemperature?: number; readonly threshold: number }[]; // threshold Q15
  readonly manifest: Manifest;
  /** One scale an output row, or the same for all rows of a matrix. Default: row. */
  readonly weightScales?: WeightScales;
}

const LOGIT_SCALE = 2 ** -10; // FIXED_LOGIT_BITS
/** Head room of the int16 residual over the largest value seen in training. */
const RESIDUAL_ROOM = 4;

/** Turns a trained net into the integers of a model image. Arithmetic: assembly/README.md. */
export function exportNet(net: TrainedNet, options: ExportOptions): ModelImage {
  const { config } = net;
  const { weightScales = "row" } = options;
  const residualScale = 2 ** Math.ceil(Math.log2((RESIDUAL_ROOM * Math.max(net.residualMax, 1e-3)) / 32767));
  const exporter: Exporter = { net, weightScales, residualScale };
  const embed = quantizeLinear(exporter, ["embed"], INPUT_SCALE, [residualScale]);
  const blocks = config.blocks.map((block, i): Block => kindOfConfig(block).toImage(exporter, i, block));
  const exits = config.exits.map((afterBlock, k): Exit => {
    const { temperature, smoothedTemperature, threshold } = options.exits[k]!;
    return {
      afterBlock,
      epsilon: integerEpsilon(config.dModel, residualScale),
      head: quantizeLinear(exporter, [`e${k}`], NORM_SCALE, [LOGIT_SCALE]),
      temperature: temperatureScale(temperature),
      ...(smoothedTemperature && { smoothedTemperature: temperatureScale(smoothedTemperature) }),
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
    ...(options.lda && { lda: options.lda }),
    ...(options.smoothing && { smoothing: options.smoothing }),
    ...(options.plausibility && { plausibility: options.plausibility }),
    manifest: options.manifest,
  };
}
