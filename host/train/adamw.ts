import type { Parameters } from "./layers.ts";
import { copyParameters } from "./parameters.ts";

/** AdamW (arXiv 1711.05101) with clipping of the global gradient norm; weight decay on matrices alone. */
export interface AdamWOptions {
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly beta2: number;
}

/** Moments of the gradient by parameter, and how much of the first steps' bias is left in them. */
export interface AdamWState {
  readonly first: Parameters;
  readonly second: Parameters;
  readonly correction1: number; // product of every β1 so far
  readonly correction2: number;
}

export interface AdamW {
  /** As it stands now; a copy. */
  state(): AdamWState;
  /** Moves `parameters` in place. Returns the norm of the gradient before clipping. */
  step(parameters: Parameters, gradients: Parameters, learningRate: number, beta1: number): number;
}

/** Parameters that weight decay leaves alone: biases, A and D. */
const undecayed = /\.(b|logA|D)$/;

/** Starts from nothing, or goes on from `from`. */
export function createAdamW(options: AdamWOptions, from?: AdamWState): AdamW {
  const first: Parameters = copyParameters(from?.first ?? {});
  const second: Parameters = copyParameters(from?.second ?? {});
  let correction1 = from?.correction1 ?? 1;
  let correction2 = from?.correction2 ?? 1;
  return {
    state: () => ({ first: copyParameters(first), second: copyParameters(second), correction1, correction2 }),
    step(parameters, gradients, learningRate, beta1) {
      let sum = 0;
      for (const gradient of Object.values(gradients)) for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
      const norm = Math.sqrt(sum);
      const clip = Math.min(1, options.clipNorm / (norm + 1e-12));
      correction1 *= beta1;
      correction2 *= options.beta2;
      for (const [name, values] of Object.entries(parameters)) {
        const gradient = gradients[name]!;
        first[name] ??= new Float32Array(values.length);
        second[name] ??= new Float32Array(values.length);
        const m = first[name];
        const v = second[name];
        const decay = undecayed.test(name) ? 0 : options.weightDecay;
        for (let i = 0; i < values.length; i++) {
          const g = gradient[i]! * clip;
          m[i] = beta1 * m[i]! + (1 - beta1) * g;
          v[i] = options.beta2 * v[i]! + (1 - options.beta2) * g * g;
          const update = m[i]! / (1 - correction1) / (Math.sqrt(v[i]! / (1 - correction2)) + 1e-8);
          values[i] = values[i]! - learningRate * (update + decay * values[i]!);
        }
      }
      return norm;
    },
  };
}

/** One-cycle schedule (arXiv 1708.07120): cosine up over the first 30 %, cosine down to peak/10,000; β1 mirrors it, 0.95 → 0.85 → 0.95. */
export function oneCycle(step: number, steps: number, peak: number): { learningRate: number; beta1: number } {
  const turn = 0.3 * steps;
  const cosine = (from: number, to: number, share: number): number => to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
  if (step < turn) {
    const share = step / turn;
    return { learningRate: cosine(peak / 25, peak, share), beta1: cosine(0.95, 0.85, share) };
  }
  const share = (step - turn) / Math.max(1, steps - turn);
  return { learningRate: cosine(peak, peak / 10000, share), beta1: cosine(0.85, 0.95, share) };
}
