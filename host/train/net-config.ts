/** A Mamba-2 block: dInner = nHeads · headDim, conv over x alone. */
export interface SsmConfig {
  readonly kind: "ssm";
  readonly dInner: number;
  readonly nHeads: number;
  readonly headDim: number;
  readonly dState: number;
  readonly dConv: number;
}

/** Sliding-window attention without position encoding, then a gated MLP. */
export interface AttentionConfig {
  readonly kind: "attention";
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly headDim: number;
  readonly windowPatches: number;
  readonly dMlp: number;
}

/** The shape of a net: what its parameters are called and how large they are follows from this. */
export interface NetConfig {
  readonly dModel: number;
  readonly channels: number;
  readonly patchFrames: number;
  readonly nClasses: number;
  readonly blocks: readonly (SsmConfig | AttentionConfig)[];
  readonly exits: readonly number[]; // the block that each exit follows, ascending
}

/** Real value of one step of the int8 input: the net sees q · INPUT_SCALE, of deviation about 1 for steps of 1/64 g and 1 °/s. */
export const INPUT_SCALE = 1 / 24;
/** Real value of one int8 step of a norm's output (FIXED_NORM_ONE = 32). */
export const NORM_SCALE = 1 / 32;
/** Added to the mean square of every norm. */
export const NORM_EPSILON = 1e-5;
/** Bounds of A = exp(logA), and of the raw Δ (int16 Q12). */
export const A_MIN = 1 / 8;
export const A_MAX = 16;
export const DT_RAW_LIMIT = 8;
/** Positions that the scan and the attention handle at once; a sequence is a multiple of it. */
export const CHUNK_PATCHES = 32;

/** Name → shape of every parameter. A matrix is (nIn, nOut): the transpose of what an image holds. */
export function parameterShapes(config: NetConfig): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  const linear = (name: string, nIn: number, nOut: number): void => {
    shapes[`${name}.w`] = [nIn, nOut];
    shapes[`${name}.b`] = [nOut];
  };
  const { dModel } = config;
  linear("embed", config.channels * config.patchFrames, dModel);
  config.blocks.forEach((block, i) => {
    if (block.kind === "ssm") {
      linear(`b${i}.z`, dModel, block.dInner);
      linear(`b${i}.x`, dModel, block.dInner);
      linear(`b${i}.B`, dModel, block.dState);
      linear(`b${i}.C`, dModel, block.dState);
      linear(`b${i}.dt`, dModel, block.nHeads);
      shapes[`b${i}.conv.w`] = [block.dConv, block.dInner];
      shapes[`b${i}.conv.b`] = [block.dInner];
      shapes[`b${i}.logA`] = [block.nHeads];
      shapes[`b${i}.D`] = [block.nHeads];
      linear(`b${i}.out`, block.dInner, dModel);
    } else {
      linear(`b${i}.q`, dModel, block.nHeads * block.headDim);
      linear(`b${i}.k`, dModel, block.nKvHeads * block.headDim);
      linear(`b${i}.v`, dModel, block.nKvHeads * block.headDim);
      linear(`b${i}.o`, block.nHeads * block.headDim, dModel);
      linear(`b${i}.gate`, dModel, block.dMlp);
      linear(`b${i}.up`, dModel, block.dMlp);
      linear(`b${i}.down`, block.dMlp, dModel);
    }
  });
  config.exits.forEach((_, k) => {
    linear(`e${k}`, dModel, config.nClasses);
  });
  return shapes;
}

/** Number of trained numbers. */
export function parameterCount(config: NetConfig): number {
  let count = 0;
  for (const shape of Object.values(parameterShapes(config))) count += shape.reduce((product, n) => product * n, 1);
  return count;
}

/** Names of the tensors that the core holds as int8 between two kernels (and y, int16): each gets one scale. */
export function activationNames(config: NetConfig): string[] {
  const names: string[] = [];
  config.blocks.forEach((block, i) => {
    const own =
      block.kind === "ssm" ? ["z", "x", "B", "C", "conv", "siluX", "siluZ", "y"] : ["q", "k", "v", "o", "gate", "up", "silu", "m"];
    for (const name of own) names.push(`b${i}.${name}`);
  });
  return names;
}
