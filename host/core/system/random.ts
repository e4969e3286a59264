/** A seeded stream of random numbers: sfc32, the same on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** Integer in [0, n). */
  integer(n: number): number;
}

/** Where a stream stands: a stream made from it goes on with the same numbers. */
export interface RandomState {
  readonly words: readonly [a: number, b: number, c: number, counter: number]; // int32
  readonly spare: number | null; // the second normal of a Box–Muller pair, not yet drawn
}

/** A stream that can be left and taken up again. */
export interface SeededRandom extends Random {
  state(): RandomState;
}

/** sfc32 (Doty-Humphrey, PractRand 2010), seeded by one integer and warmed up by 15 draws. */
export function createRandom(seed: number): SeededRandom {
  const random = resumeRandom({ words: [seed | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1], spare: null });
  for (let i = 0; i < 15; i++) random.uniform();
  return random;
}

/** The stream that stood at `from`. */
export function resumeRandom(from: RandomState): SeededRandom {
  let [a, b, c, counter] = from.words;
  let spare = from.spare ?? Number.NaN;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  const uniform = (): number => next() / 4294967296;
  return {
    uniform,
    integer: (n) => Math.floor(uniform() * n),
    normal() {
      if (!Number.isNaN(spare)) {
        const value = spare;
        spare = Number.NaN;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    state: () => ({ words: [a, b, c, counter], spare: Number.isNaN(spare) ? null : spare }),
  };
}
