import type { AttentionBlock, FixedScale, LinearTensors, ModelImage, SsmBlock } from "../../../host/core/image/image-types.ts";

// An image's net for plain-float.c: net.h, with the shapes as macros and every array in float32.

const scaleOf = ({ multiplier, shift }: FixedScale): number => multiplier * 2 ** (shift - 31);
const rowScale = (l: { readonly multiplier: Int32Array; readonly shift: Int8Array }, row: number): number =>
  scaleOf({ multiplier: l.multiplier[row]!, shift: l.shift[row]! });

/** The C that plain-float.c includes. Throws RangeError if blocks of one kind differ in shape: the program has one shape of each. */
export function writeFloatNet(image: ModelImage): string {
  const { channels, patchFrames, dModel, windowPatches, nClasses, blocks, exits } = image;
  const shapeOf = (block: SsmBlock | AttentionBlock): string =>
    block.kind === "ssm"
      ? [block.dInner, block.nHeads, block.dState, block.dConv].join()
      : [block.nHeads, block.nKvHeads, block.headDim, block.windowPatches, block.dMlp].join();
  for (const kind of ["ssm", "attention"]) {
    const shapes = new Set(blocks.filter((block) => block.kind === kind).map(shapeOf));
    if (shapes.size !== 1) throw new RangeError(`the net has ${shapes.size} shapes of ${kind} blocks: plain-float.c needs one`);
  }
  const s = blocks.find((block): block is SsmBlock => block.kind === "ssm")!;
  const a = blocks.find((block): block is AttentionBlock => block.kind === "attention")!;
  const rows = [2 * (s.dInner + s.dState) + s.nHeads, (a.nHeads + 2 * a.nKvHeads) * a.headDim, 2 * a.dMlp, dModel];
  const states = [(s.dConv - 1 + s.dState) * s.dInner, 2 * a.windowPatches * a.nKvHeads * a.headDim];
  const shapes = {
    ...{ D: dModel, PATCH: channels * patchFrames, PATCHES: windowPatches, CLASSES: nClasses, EXITS: exits.length, BLOCKS: blocks.length },
    ...{ INNER: s.dInner, HEADS: s.nHeads, N: s.dState, TAPS: s.dConv, STATE: Math.max(...states), WIDEST: Math.max(...rows) },
    ...{ Q_HEADS: a.nHeads, KV_HEADS: a.nKvHeads, HEAD: a.headDim, SLOTS: a.windowPatches, MLP: a.dMlp },
  };
  const arrays: string[] = [];
  const array = (values: readonly number[]): string => {
    const name = `a${arrays.length}`;
    arrays.push(`static const float ${name}[] = {${values.map((value) => `${cFloat(value)}`).join(",")}};`);
    return name;
  };
  /** Input-major weights and biases times their scales; `factor` changes the unit of rows. */
  const linear = (l: LinearTensors, factor: (row: number) => number = () => 1): string => {
    const scale = (row: number): number => rowScale(l, row) * factor(row);
    const weights = Array.from({ length: l.nIn * l.nOut }, (_, at) => {
      const row = at % l.nOut;
      return l.weights[row * l.nIn + Math.floor(at / l.nOut)]! * scale(row);
    });
    return `{${array(weights)}, ${array(Array.from(l.bias, (bias, row) => bias * scale(row)))}}`;
  };
  const describe = (block: SsmBlock | AttentionBlock): string => {
    if (block.kind === "ssm") {
      const firstB = 2 * block.dInner;
      const firstRaw = firstB + 2 * block.dState;
      // Δ is Q12; Δ·B of the core is 2^12 times the real one, and C reads the state shifted by scanShift
      const unit = (row: number): number =>
        row >= firstRaw ? 2 ** -12 : row >= firstB && row < firstB + block.dState ? 2 ** (12 - block.scanShift) : 1;
      const conv = { multiplier: block.convMultiplier, shift: block.convShift };
      return [
        `.isSsm = 1, .epsilon = ${block.epsilon}, .gateEpsilon = ${block.gateEpsilon}, .y = ${cFloat(scaleOf(block.y))}`,
        `.in = ${linear(block.inProj, unit)}, .out = ${linear(block.outProj)}`,
        `.conv = ${array(Array.from(block.convWeights, (w, at) => w * rowScale(conv, at % block.dInner)))}`,
        `.convBias = ${array(Array.from(block.convBias, (bias, row) => bias * rowScale(conv, row)))}`,
        `.a = ${array(Array.from(block.a, (value) => value / 4096))}, .d = ${array([...block.d])}`,
        `.siluX = ${cSilu(block.siluX, 1)}, .siluZ = ${cSilu(block.siluZ, 1 / 128)}`,
      ].join(", ");
    }
    return [
      `.epsilon = ${block.epsilon}, .gateEpsilon = ${block.mlpEpsilon}, .score = ${cFloat(scaleOf(block.score) / 65536)}`,
      `.y = ${cFloat(scaleOf(block.out) * 32768)}, .mlp = ${cFloat(scaleOf(block.mlp))}, .siluX = ${cSilu(block.silu, 1)}`,
      `.in = ${linear(block.qkv)}, .out = ${linear(block.oProj)}, .up = ${linear(block.gateUp)}, .down = ${linear(block.down)}`,
    ].join(", ");
  };
  const embed = linear(image.embed);
  const net = blocks.map((block) => `  {${describe(block)}},`);
  const heads = exits.map(({ afterBlock, epsilon, head }) => `  {${afterBlock}, ${epsilon}, ${linear(head)}},`);
  return [
    ...Object.entries(shapes).map(([name, value]) => `#define ${name} ${value}`),
    "typedef struct { const float *w, *b; } Linear;",
    "typedef struct { int isSsm; float epsilon, gateEpsilon, y, score, mlp, siluX[2], siluZ[2]; Linear in, out, up, down; const float *conv, *convBias, *a, *d; } Block;",
    "typedef struct { int after; float epsilon; Linear head; } Exit;",
    ...arrays,
    `static const Linear EMBED = ${embed};`,
    `static const Block net[BLOCKS] = {\n${net.join("\n")}\n};`,
    `static const Exit exits[EXITS] = {\n${heads.join("\n")}\n};`,
    "",
  ].join("\n");
}

function cFloat(value: number): string {
  const text = Math.fround(value).toString();
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/**
 * A SiLU table as {in, out}: its entry of q is about out · q / (1 + exp(−in · q)). The input's scale is the one of a geometric grid that fits
 * best, the output's the least squares for it. `factor` scales the output.
 */
function cSilu(table: Int8Array, factor: number): string {
  let best = { error: Number.POSITIVE_INFINITY, input: 0, output: 0 };
  for (let step = 0; step <= 400; step++) {
    const input = 2 ** (-10 + step / 40);
    let [up, down] = [0, 0];
    for (const [i, y] of table.entries()) {
      if (y === 127 || y === -128) continue; // clamped
      const x = (i - 128) / (1 + Math.exp(-input * (i - 128)));
      up += x * y;
      down += x * x;
    }
    const output = up / down;
    let error = 0;
    for (const [i, y] of table.entries()) {
      const value = (output * (i - 128)) / (1 + Math.exp(-input * (i - 128)));
      error += (Math.max(-128, Math.min(127, value)) - y) ** 2;
    }
    if (error < best.error) best = { error, input, output };
  }
  return `{${cFloat(best.input)}, ${cFloat(best.output * factor)}}`;
}
