import type { Random } from "../agent/random.ts";
import { type NetConfig, parameterShapes } from "./net-config.ts";

/** Trained numbers by name; shapes are in parameterShapes(config). */
export type Parameters = Record<string, Float32Array>;

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

/**
 * A copy whose exits' logits are moved by `shift` (a class; empty: not moved): they then speak of other shares of the classes than
 * training had, ln(odds meant / odds in training) a class (Saerens et al. 2002, doi 10.1162/089976602753284446; Menon et al. 2021,
 * arXiv 2007.07314).
 */
export function shiftLogits(config: NetConfig, parameters: Parameters, shift: readonly number[]): Parameters {
  const moved = copyParameters(parameters);
  config.exits.forEach((_, k) => {
    const bias = moved[`e${k}.b`]!;
    shift.forEach((by, c) => {
      bias[c]! += by;
    });
  });
  return moved;
}

function fillNormal(values: Float32Array, deviation: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
}
