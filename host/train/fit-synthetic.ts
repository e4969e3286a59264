import { HAPT_CHANNELS } from "../data/hapt.ts";
import type { Recording } from "../data/recording.ts";
import type { MotionParameters, SyntheticParameters } from "../data/synthetic.ts";

const frameRateHz = 50;
const fitFrames = 320; // 6.4 s of steady motion
const strideMinHz = 0.65;
const strideMaxHz = 1.35;
const strideStepHz = 0.01;
/** Harmonics of the stride that a gait keeps: 12 of them reach beyond 10 Hz. */
const harmonics = 12;
/** HAPT labels 1–3 are gaits, 4–6 postures. */
const lastGait = 3;
const basicActivities = 6;
const countDigits = 0; // amplitudes are rounded to whole counts

/**
 * Fits the synthetic wearer's bank: for each wearer's first recording (one placement of the phone) and basic activity the mean frame, for gaits a stride frequency with the
 * cosine and sine of its harmonics in every channel, and the rest as AR(2) noise a channel. `labels[i]` names HAPT label i + 1.
 */
export function fitSynthetic(recordings: readonly Recording[], labels: readonly string[]): SyntheticParameters {
  const subjects = [...new Set(recordings.map(({ subject }) => subject))].sort((a, b) => Number(a) - Number(b));
  const wearers = subjects.map((subject) => {
    const own = recordings.filter((recording) => recording.subject === subject).slice(0, 1);
    const motions: Record<string, MotionParameters> = {};
    for (let label = 1; label <= basicActivities; label++) motions[labels[label - 1]!] = fitMotion(own, label, label <= lastGait);
    return motions;
  });
  return { version: 1, frameRateHz, wearers };
}

/** Cuts windows out of all segments of a label and fits each; the best-explained one gives the gait, all of them the noise. */
function fitMotion(recordings: readonly Recording[], label: number, isGait: boolean): MotionParameters {
  const windows: Int16Array[] = [];
  for (const { frames, segments } of recordings)
    for (const segment of segments.filter((candidate) => candidate.label === label)) {
      const room = segment.end - segment.start - fitFrames;
      for (let at = Math.min(64, Math.max(0, room)); at <= room; at += 64)
        windows.push(frames.subarray((segment.start + at) * HAPT_CHANNELS, (segment.start + at + fitFrames) * HAPT_CHANNELS));
    }
  const fits = windows.map((window) => fitWindow(window, isGait));
  fits.sort((a, b) => b.explained - a.explained);
  const best = isGait ? fits[0]! : fits[Math.floor(fits.length / 2)]!;
  const typical = fits[Math.floor(fits.length / 2)]!;
  const round = (value: number, digits: number): number => Number(value.toFixed(digits));
  const meanOf = (read: (fit: WindowFit) => number): number => fits.reduce((sum, fit) => sum + read(fit), 0) / fits.length;
  const channels = Array.from({ length: HAPT_CHANNELS }, (_, c) => c);
  const mean = channels.map((c) =>
    round(
      meanOf((fit) => fit.mean[c]!),
      countDigits,
    ),
  );
  return {
    mean,
    meanDeviation: channels.map((c) => round(Math.sqrt(meanOf((fit) => (fit.mean[c]! - mean[c]!) ** 2)), countDigits)),
    noise: channels.map((c) => ({
      deviation: round(typical.noise[c]!.deviation, 1),
      ar: typical.noise[c]!.ar.map((value) => round(value, 3)) as [number, number],
    })),
    ...(isGait
      ? {
          strideHz: round(best.strideHz, 3),
          cosine: channels.map((c) => best.cosine[c]!.map((value) => round(value, countDigits))),
          sine: channels.map((c) => best.sine[c]!.map((value) => round(value, countDigits))),
        }
      : {}),
  };
}

interface WindowFit {
  readonly explained: number; // share of variance
  readonly strideHz: number;
  readonly mean: number[];
  readonly cosine: number[][]; // (channels, harmonics)
  readonly sine: number[][];
  readonly noise: { deviation: number; ar: [number, number] }[];
}

function fitWindow(frames: Int16Array, isGait: boolean): WindowFit {
  const columns = Array.from({ length: HAPT_CHANNELS }, (_, c) =>
    Float64Array.from({ length: fitFrames }, (_, i) => frames[i * HAPT_CHANNELS + c]!),
  );
  const means = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / fitFrames);
  if (!isGait) {
    const rests = columns.map((column, c) => column.map((value) => value - means[c]!));
    const power = rests.reduce((sum, rest) => sum + rest.reduce((own, value) => own + value * value, 0), 0);
    return { explained: -power, strideHz: 0, mean: means, cosine: [], sine: [], noise: rests.map(fitAr2) };
  }
  let best: WindowFit | undefined;
  for (const basis of bases()) {
    const fit = fitHarmonics(columns, basis);
    if (!best || fit.explained > best.explained) best = fit;
  }
  return best!;
}

/** 1, then cosine and sine of each harmonic, (fitFrames, 2·harmonics + 1), and the Gram matrix of these columns. */
interface Basis {
  readonly strideHz: number;
  readonly rows: readonly Float64Array[];
  readonly gram: readonly Float64Array[];
}

let cachedBases: Basis[] | undefined;

function bases(): Basis[] {
  if (cachedBases) return cachedBases;
  const n = 2 * harmonics + 1;
  cachedBases = [];
  for (let strideHz = strideMinHz; strideHz <= strideMaxHz; strideHz += strideStepHz) {
    const rows = Array.from({ length: fitFrames }, (_, i) =>
      Float64Array.from({ length: n }, (_, column) => {
        const angle = (2 * Math.PI * strideHz * Math.ceil(column / 2) * i) / frameRateHz;
        return column % 2 === 1 ? Math.cos(angle) : column === 0 ? 1 : Math.sin(angle);
      }),
    );
    const gram = Array.from({ length: n }, (_, r) =>
      Float64Array.from({ length: n }, (_, c) => rows.reduce((sum, row) => sum + row[r]! * row[c]!, r === c ? 1e-6 * fitFrames : 0)),
    );
    cachedBases.push({ strideHz, rows, gram });
  }
  return cachedBases;
}

/** Least squares of every channel on one basis (normal equations, shared by the channels). */
function fitHarmonics(columns: readonly Float64Array[], { strideHz, rows, gram }: Basis): WindowFit {
  const n = 2 * harmonics + 1;
  const right = columns.map((column) => {
    const b = new Float64Array(n);
    rows.forEach((row, i) => {
      for (let k = 0; k < n; k++) b[k]! += row[k]! * column[i]!;
    });
    return b;
  });
  const solutions = solve(gram, right);
  let total = 0;
  let left = 0;
  const rests = columns.map((column, c) => {
    const mean = column.reduce((sum, value) => sum + value, 0) / fitFrames;
    return column.map((value, i) => {
      let rest = value;
      for (let k = 0; k < n; k++) rest -= rows[i]![k]! * solutions[c]![k]!;
      total += (value - mean) ** 2;
      left += rest * rest;
      return rest;
    });
  });
  const pick = (first: number) => solutions.map((solution) => Array.from({ length: harmonics }, (_, k) => solution[2 * k + first]!));
  return {
    explained: 1 - left / total,
    strideHz,
    mean: solutions.map((s) => s[0]!),
    cosine: pick(1),
    sine: pick(2),
    noise: rests.map(fitAr2),
  };
}

/** Solves A·x = b for several b by Gaussian elimination with row pivots. */
function solve(matrix: readonly Float64Array[], right: readonly Float64Array[]): Float64Array[] {
  const n = matrix.length;
  const a = matrix.map((row, r) => Float64Array.from([...row, ...right.map((b) => b[r]!)]));
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let r = k + 1; r < n; r++) if (Math.abs(a[r]![k]!) > Math.abs(a[pivot]![k]!)) pivot = r;
    [a[k], a[pivot]] = [a[pivot]!, a[k]!];
    for (let r = 0; r < n; r++) {
      if (r === k) continue;
      const factor = a[r]![k]! / a[k]![k]!;
      if (factor !== 0) for (let c = k; c < n + right.length; c++) a[r]![c]! -= factor * a[k]![c]!;
    }
  }
  return right.map((_, j) => Float64Array.from({ length: n }, (_, r) => a[r]![n + j]! / a[r]![r]!));
}

/** Yule–Walker AR(2) of a rest, and its deviation as a whole. */
function fitAr2(rest: Float64Array): { deviation: number; ar: [number, number] } {
  const lag = (k: number): number => {
    let sum = 0;
    for (let i = k; i < rest.length; i++) sum += rest[i]! * rest[i - k]!;
    return sum / rest.length;
  };
  const r0 = lag(0) + 1e-9;
  const r1 = lag(1) / r0;
  const r2 = lag(2) / r0;
  const denominator = Math.max(1e-6, 1 - r1 * r1);
  return { deviation: Math.sqrt(r0), ar: [(r1 * (1 - r2)) / denominator, (r2 - r1 * r1) / denominator] };
}
