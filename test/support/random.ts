/** sfc32 from a number: uniform in [0, 1), the same everywhere. */
export function seeded(seed: number): () => number {
  let a = seed | 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let d = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Int8 patches that drift as sensors do: correlated from one to the next, now and then at the limits. */
export function randomPatches(random: () => number, patchBytes: number, count: number): Int8Array[] {
  const level = Array.from({ length: patchBytes }, () => (random() - 0.5) * 160);
  return Array.from({ length: count }, () =>
    Int8Array.from(level, (_, i) => {
      level[i] = level[i]! * 0.97 + (random() - 0.5) * 60;
      return Math.max(-128, Math.min(127, Math.round(random() < 0.01 ? (random() - 0.5) * 1000 : level[i]!)));
    }),
  );
}
