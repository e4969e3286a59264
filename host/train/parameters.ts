import type { Random } from "../core/system/random.ts";
import type { Parameters } from "./layers.ts";
import { type NetConfig, parameterShapes } from "./net-config.ts";

/**
 * Starting values: matrices normal with deviation 1/√nIn (outputs into the residual are shrunk by √(2·blocks)), biases 0,
 * A = 1, D = 1, and Δ biases such that dt starts spread over 0.01…0.2 by head (arXiv 2405.21060).
 */
export function initialParameters(config: NetConfig, random: Random): Parameters {
  const parameters: Parameters = {};
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = new Float32Array(size);
    const intoResidual = /\.(out|o|down)\.w$/.test(name);
    if (name.endsWith(".conv.w")) fillNormal(values, 1 / Math.sqrt(shape[0]!), random);
    else if (name.endsWith(".w"))
      fillNormal(values, (intoResidual ? 1 / Math.sqrt(2 * config.blocks.length) : 1) / Math.sqrt(shape[0]!), random);
    else if (name.endsWith(".D")) values.fill(1);
    else if (name.endsWith(".dt.b"))
      for (let h = 0; h < size; h++) {
        const dt = 0.01 * 20 ** (size === 1 ? 0.5 : h / (size - 1));
        values[h] = Math.log(Math.expm1(dt)); // inverse of softplus
      }
    parameters[name] = values;
  }
  return parameters;
}

/** A copy that shares nothing. */
export function copyParameters(parameters: Parameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, values.slice()]));
}

function fillNormal(values: Float32Array, deviation: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
}
