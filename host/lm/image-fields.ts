import * as layout from "../../assembly/layout.ts";
import * as lm from "../../assembly/lm/layout.ts";
import { align16 } from "../core/arithmetic/align.ts";
import { computeSize, type Dims, type Shape } from "../core/image/image-fields.ts";
import { createView, imageError, requireZeros, type Section } from "../core/image/image-header.ts";

// A record of a language image is described once, as a list of fields: reader, planner, checker and the tables of assembly/README.md
// follow it. Arrays are read in place.

/** m·2^e: a mantissa in [2^14, 2^15) and an exponent. */
export interface Scale {
  readonly mantissa: number;
  readonly exponent: number;
}

/** int8 per row: w[r][i] = weights · rows[r]/2^15 · scale; padded rows. */
export interface Matrix {
  readonly nIn: number;
  readonly nOut: number;
  /** (nOut, nIn up to a multiple of 16). */
  readonly weights: Int8Array;
  /** (nOut,) Q15. */
  readonly rows: Int16Array;
  readonly scale: Scale;
  /** Weights by groups of columns instead, (groups, nOut, columns at a stride of 16), each times factors (groups, nOut)/256. */
  readonly groups?: { readonly size: number; readonly factors: Uint8Array };
}

/** Gains of a norm: values/2^15 · scale. */
export interface Gain {
  readonly values: Int16Array;
  readonly scale: Scale;
}

interface Place {
  readonly at: number; // word index in the record
  readonly name: string;
  readonly text?: string;
}

type WordField = Place & {
  readonly type: "word";
  readonly least: number;
  readonly most: number | Shape;
  readonly step?: number; // a multiple of it
  readonly status: number;
};
type ScaleField = Place & { readonly type: "scale" };
type GainField = Place & { readonly type: "gain"; readonly n: Shape };
type MatrixField = Place & {
  readonly type: "matrix";
  readonly nIn: Shape;
  readonly nOut: Shape;
  readonly isOptional?: true;
  /** The word with the offset of the groups' factors, in records with a groupSize. */
  readonly groupsAt?: number;
};
/** One u32 per pair of n elements. */
type StepsField = Place & { readonly type: "steps"; readonly n: Shape };
export type LmField = WordField | ScaleField | GainField | MatrixField | StepsField;

/** A record: its reader makes an object of the fields, by name. */
export interface LmSpec {
  readonly name: string;
  readonly words: number;
  readonly fields: readonly LmField[];
  readonly checkDims?: (where: string, dims: Dims) => void;
}

const WIDTHS = { word: 1, scale: 2, gain: 3, matrix: 4, steps: 1 } as const;

/** The words that a field has, its groups' among them. */
export function wordsOf(field: LmField): number[] {
  const own = Array.from({ length: WIDTHS[field.type] }, (_, i) => field.at + i);
  return field.type === "matrix" && field.groupsAt !== undefined ? [...own, field.groupsAt] : own;
}

function claimed({ words, fields }: LmSpec): boolean[] {
  const out = new Array<boolean>(words).fill(false);
  for (const at of fields.flatMap(wordsOf)) out[at] = true;
  return out;
}

function checkWords(spec: LmSpec, where: string, wordAt: (at: number) => number, around: Dims): Dims {
  const dims: Record<string, number> = { ...around };
  for (const field of spec.fields) {
    if (field.type !== "word") continue;
    const value = wordAt(field.at);
    const most = typeof field.most === "string" ? computeSize(field.most, dims) : field.most;
    if (value < field.least || value > most || value % (field.step ?? 1) !== 0) {
      const multiple = field.step === undefined ? "" : `, a multiple of ${field.step}`;
      throw imageError(field.status, `${where}: ${field.name} is ${value}, must be ${field.least} … ${most}${multiple}`);
    }
    dims[field.name] = value;
  }
  spec.checkDims?.(where, dims);
  return dims;
}

/** Reads records of an image whose arrays lie in `tensors`, and counts these. */
export class RecordReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tensors: Section;
  readonly #arrays = new Set<number>();

  constructor(bytes: Uint8Array, tensors: Section) {
    this.#bytes = bytes;
    this.#view = createView(bytes);
    this.#tensors = tensors;
  }

  get count(): number {
    return this.#arrays.size;
  }

  /** The values of the record at `offset` and its words as dimensions. Throws ModelError. */
  read<T>(spec: LmSpec, where: string, offset: number, around: Dims): T {
    const word = (at: number): number => this.#view.getInt32(offset + 4 * at, true);
    claimed(spec).forEach((isClaimed, at) => {
      if (!isClaimed && word(at) !== 0) throw imageError(layout.STATUS_BAD_PADDING, `${where}: unused word ${at} is ${word(at)}`);
    });
    const dims = checkWords(spec, where, word, around);
    return Object.fromEntries(spec.fields.map((field) => [field.name, this.#value(field, `${where}: ${field.name}`, word, dims)])) as T;
  }

  #value(field: LmField, where: string, word: (at: number) => number, dims: Dims): unknown {
    switch (field.type) {
      case "word":
        return dims[field.name];
      case "scale":
        return scaleAt(where, word, field.at);
      case "steps": {
        const pairs = computeSize(field.n, dims) / 2;
        return new Uint32Array(this.#bytes.buffer, this.#place(where, word(field.at), 4 * pairs), pairs);
      }
      case "gain": {
        const n = computeSize(field.n, dims);
        const values = new Int16Array(this.#bytes.buffer, this.#place(where, word(field.at), 2 * n), n);
        return { values, scale: scaleAt(where, word, field.at + lm.GAIN_SCALE) } satisfies Gain;
      }
      case "matrix":
        return this.#matrix(field, where, word, dims);
    }
  }

  #matrix(field: MatrixField, where: string, word: (at: number) => number, dims: Dims): Matrix | Pick<Matrix, "scale"> {
    const scale = scaleAt(where, word, field.at + lm.MATRIX_SCALE);
    const [weightsAt, rowsAt] = [word(field.at + lm.MATRIX_WEIGHTS), word(field.at + lm.MATRIX_ROWS)];
    if (field.isOptional && weightsAt === 0 && rowsAt === 0) return { scale };
    const [nIn, nOut] = [computeSize(field.nIn, dims), computeSize(field.nOut, dims)];
    const weightBytes = nOut * align16(nIn); // a group is a multiple of 16
    const weights = new Int8Array(this.#bytes.buffer, this.#place(`${where}: weights`, weightsAt, weightBytes), weightBytes);
    const rows = new Int16Array(this.#bytes.buffer, this.#place(`${where}: rows`, rowsAt, 2 * nOut), nOut);
    const size = field.groupsAt === undefined ? 0 : dims.groupSize!;
    const first = size > 0 ? (Math.ceil(nIn / size) - 1) * size : 0; // column of the last group, which alone has padding
    const stride = align16(nIn - first);
    for (let r = 0; r < nOut; r++) {
      if (rows[r]! < 0) throw imageError(layout.STATUS_BAD_MULTIPLIER, `${where}: row ${r} has mantissa ${rows[r]}`);
      const at = weights.byteOffset - this.#bytes.byteOffset + first * nOut + r * stride;
      requireZeros(this.#bytes, at + nIn - first, at + stride, `${where}: row ${r}`);
    }
    const matrix = { nIn, nOut, weights, rows, scale };
    if (size === 0) return matrix;
    const count = Math.ceil(nIn / size) * nOut;
    const factors = new Uint8Array(this.#bytes.buffer, this.#place(`${where}: factors`, word(field.groupsAt!), count), count);
    return { ...matrix, groups: { size, factors } };
  }

  /** Byte offset in the buffer of `bytes` bytes at `offset` of the image. */
  #place(where: string, offset: number, bytes: number): number {
    const { offset: start, bytes: size } = this.#tensors;
    if (offset % layout.IMAGE_ALIGN !== 0 || offset < start || offset + bytes > start + size)
      throw imageError(layout.STATUS_BAD_TENSOR, `${where}: ${bytes} B at ${offset}, tensors are ${size} B at ${start}`);
    this.#arrays.add(offset);
    return this.#bytes.byteOffset + offset;
  }
}

function scaleAt(where: string, word: (at: number) => number, at: number): Scale {
  const [mantissa, exponent] = [word(at), word(at + 1)];
  if (mantissa < 2 ** 14 || mantissa > 32767 || Math.abs(exponent) > lm.LM_LIMIT_EXPONENT)
    throw imageError(layout.STATUS_BAD_MULTIPLIER, `${where}: scale ${mantissa}·2^${exponent}`);
  return { mantissa, exponent };
}

/** A record before its arrays are written: words to fill, and where each array goes. */
export class RecordPlan {
  readonly words: Int32Array;
  readonly #fields: ReadonlyMap<string, LmField>;

  /** Words of dimensions are checked and set, and every array gets a place by `take(bytes)`. `absent`: matrices without arrays. */
  constructor(spec: LmSpec, values: Dims, around: Dims, take: (bytes: number) => number, absent: readonly string[] = []) {
    this.words = new Int32Array(spec.words);
    this.#fields = new Map(spec.fields.map((field) => [field.name, field]));
    for (const field of spec.fields) if (field.type === "word") this.words[field.at] = values[field.name] ?? field.least;
    const dims = checkWords(spec, spec.name, (at) => this.words[at]!, around);
    for (const field of spec.fields) {
      if (field.type === "gain") this.words[field.at] = take(2 * computeSize(field.n, dims));
      else if (field.type === "steps") this.words[field.at] = take(2 * computeSize(field.n, dims));
      else if (field.type === "matrix" && !absent.includes(field.name)) {
        this.words[field.at + lm.MATRIX_WEIGHTS] = take(computeSize(field.nOut, dims) * align16(computeSize(field.nIn, dims)));
        this.words[field.at + lm.MATRIX_ROWS] = take(2 * computeSize(field.nOut, dims));
        if (field.groupsAt !== undefined && dims.groupSize! > 0)
          this.words[field.groupsAt] = take(Math.ceil(computeSize(field.nIn, dims) / dims.groupSize!) * computeSize(field.nOut, dims));
      }
    }
  }

  /** Offset of a field's first or second array. */
  placeOf(name: string, index: 0 | 1 = 0): number {
    return this.words[this.#fields.get(name)!.at + index]!;
  }

  /** Offset of the factors of a matrix's groups; 0 if it has none. */
  groupsOf(name: string): number {
    const field = this.#fields.get(name)!;
    return field.type === "matrix" && field.groupsAt !== undefined ? this.words[field.groupsAt]! : 0;
  }

  setWord(name: string, value: number): void {
    this.words[this.#fields.get(name)!.at] = value;
  }

  setScale(name: string, { mantissa, exponent }: Scale): void {
    const field = this.#fields.get(name)!;
    const at = field.at + { scale: 0, gain: lm.GAIN_SCALE, matrix: lm.MATRIX_SCALE, word: 0, steps: 0 }[field.type];
    this.words.set([mantissa, exponent], at);
  }
}

/** The record as a table for the README: a row per field. */
export function lmFieldTable(spec: LmSpec): string[] {
  const rows = spec.fields.flatMap((field) => {
    const last = field.at + WIDTHS[field.type] - 1;
    const at = last === field.at ? `${field.at}` : `${field.at}…${last}`;
    const row = `| ${at} | ${field.name} | ${field.type} | ${boundsOf(field)} | ${field.text ?? ""} |`;
    if (field.type !== "matrix" || field.groupsAt === undefined) return [row];
    return [row, `| ${field.groupsAt} | ${field.name} factors | u8 | (groups, rows) | with a groupSize |`];
  });
  return ["| word | name | type | range or shape | |", "|---|---|---|---|---|", ...rows];
}

function boundsOf(field: LmField): string {
  switch (field.type) {
    case "word": {
      const step = field.step === undefined ? "" : `, multiple of ${field.step}`;
      return field.least === field.most ? `${field.least}` : `${field.least} … ${field.most}${step}`;
    }
    case "scale":
      return "16384 … 32767, ± 64";
    case "matrix":
      return `${field.nIn} → ${field.nOut}${field.isOptional ? ", or its scale alone" : ""}`;
    case "gain":
      return `(${field.n})`;
    case "steps":
      return `(${field.n}/2)`;
  }
}
