import { exp2Fraction } from "./curves.ts";
import { mulScale, type Scale, within } from "./number.ts";

export interface Sampling {
  /** log2(e)/temperature. */
  readonly sharpness: Scale;
  readonly topK: number;
  /** Q16. */
  readonly topP: number;
  readonly seed: number;
}

/** The hash of (seed, position) that a draw uses. */
export function randomAt(seed: number, position: number): number {
  let h = (seed ^ Math.imul(position, 0x9e3779b9)) >>> 0;
  for (let round = 0; round < 2; round++) {
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = ((h ^ (h >>> 16)) + seed + 0x6d2b79f5) | 0;
  }
  return (h ^ (h >>> 15)) >>> 0;
}

/** The token that is drawn from the logits of the allowed tokens, by sorting. */
export function drawSorted(
  logits: readonly number[],
  scale: Scale,
  allowed: readonly number[],
  position: number,
  options: Sampling,
): number {
  const most = Math.max(...allowed.map((token) => logits[token]!));
  const { mantissa, exponent } = mulScale(scale, options.sharpness);
  const s = -(exponent + 11);
  const right = BigInt(Math.min(Math.max(s, 0), 62));
  const left = BigInt(Math.min(Math.max(-s, 0), 15));
  const half = right > 0n ? 1n << (right - 1n) : 0n;
  const ordered = allowed
    .map((token) => {
      const raw = (((BigInt(most - logits[token]!) * BigInt(mantissa)) << left) + half) >> right;
      const z = Number(raw < 32767n ? raw : 32767n);
      const probability = Math.floor((exp2Fraction(within("z", z, 32767, 0)) * 2 ** 15) / 2 ** Math.floor(z / 2048));
      return { token, z, probability };
    })
    .sort((a, b) => a.z - b.z || a.token - b.token);
  const first = ordered.slice(0, options.topK === 0 ? ordered.length : options.topK);
  const total = first.reduce((sum, { probability }) => sum + probability, 0);
  const share = options.topP === 65536 ? total : Math.max(1, Number((BigInt(total) * BigInt(options.topP)) >> 16n));
  const kept: typeof ordered = [];
  let sum = 0;
  for (const one of first) {
    if (options.topP < 65536 && sum >= share) break;
    kept.push(one);
    sum += one.probability;
  }
  const target = Number(((BigInt(within("Σ", sum, 2 ** 46)) >> 14n) * BigInt(randomAt(options.seed, position))) >> 18n);
  let seen = 0;
  for (const { token, probability } of kept.sort((a, b) => a.token - b.token)) {
    seen += probability;
    if (seen > target) return token;
  }
  throw new Error("the probabilities do not reach the target");
}
