import * as layout from "../../../assembly/layout.ts";
import { requireBetween, requireLength, requireLinear, requireScale } from "./image-check-values.ts";
import { imageError } from "./image-header.ts";
import { putLinear, putScale, type TensorSection } from "./image-tensor-section.ts";
import type { RecordReader } from "./image-tensors.ts";
import type { FixedScale, LinearTensors } from "./tensor-types.ts";

// A record of an image is described once, as a list of fields. Reader, writer, checker and the tables of assembly/README.md follow it.

/** Numbers that shapes and bounds are made of: the record's own words, and those of the records before it. */
export type Dims = Readonly<Record<string, number>>;

/** A sum of products of numbers and dimensions, such as "2·dInner + nHeads". */
export type Shape = string;

const LARGEST = 2 ** 31 - 1;

interface Place {
  readonly at: number; // word index in the record
  readonly name: string; // the value's name in TypeScript
  readonly text?: string; // unit and meaning, for the README
}

/** A number in the record itself. */
export interface WordField extends Place {
  readonly type: "word";
  readonly least: number;
  readonly most?: number | Shape; // default: the largest s32
  readonly status: number; // what is wrong if it is out of range
  readonly isConstant?: true; // always `least`, no value in TypeScript
}

/** Multiplier and shift, two words. */
export interface ScaleField extends Place {
  readonly type: "scale";
  readonly bound: Shape; // of what is scaled, in magnitude
  readonly isOptional?: true; // two zeros: absent
}

/** A LINEAR record of six words. */
export interface LinearField extends Place {
  readonly type: "linear";
  readonly nIn: Shape;
  readonly nOut: Shape;
}

/** The offset of an array in TENSORS. */
export interface ArrayField extends Place {
  readonly type: "s8" | "s16" | "s32";
  readonly shape: readonly Shape[];
  readonly least?: number; // of its values
  readonly most?: number;
  readonly status?: number;
}

export type Field = WordField | ScaleField | LinearField | ArrayField;

export interface RecordSpec<T> {
  readonly name: string; // as errors and the README call it
  readonly words: number;
  readonly fields: readonly Field[]; // arrays lie in TENSORS in this order
  /** What no single field says, from the words alone: before anything is allocated. Throws ModelError. */
  readonly checkDims?: (where: string, dims: Dims) => void;
  /** The same of whole values. */
  readonly check?: (where: string, value: T, dims: Dims) => void;
}

type Values = Record<string, unknown>;

const WIDTHS = { word: 1, scale: 2, linear: layout.LINEAR_WORDS, s8: 1, s16: 1, s32: 1 } as const;

/** The value of a shape. */
export function computeSize(shape: Shape, dims: Dims): number {
  const factor = (text: string): number => (/^\d+$/.test(text) ? Number(text) : dims[text]!);
  return shape.split(" + ").reduce((sum, term) => sum + term.split("·").reduce((product, text) => product * factor(text), 1), 0);
}

function lengthOf(shape: readonly Shape[], dims: Dims): number {
  return shape.reduce((product, side) => product * computeSize(side, dims), 1);
}

/** True for each word that a field claims. */
function claimed({ words, fields }: RecordSpec<never>): boolean[] {
  const out = new Array<boolean>(words).fill(false);
  for (const { at, type } of fields) out.fill(true, at, at + WIDTHS[type]);
  return out;
}

function checkWords<T>(spec: RecordSpec<T>, where: string, wordOf: (field: WordField) => number, around: Dims): Dims {
  const dims: Record<string, number> = { ...around };
  for (const field of spec.fields) {
    if (field.type !== "word") continue;
    const value = wordOf(field);
    const most = field.isConstant ? field.least : typeof field.most === "string" ? computeSize(field.most, dims) : (field.most ?? LARGEST);
    requireBetween(field.status, `${where}: ${field.name}`, value, field.least, most);
    dims[field.name] = value;
  }
  spec.checkDims?.(where, dims);
  return dims;
}

/** The values of a record, its arrays copied out; words are checked before anything is allocated. Throws ModelError. */
export function readRecord<T>(spec: RecordSpec<T>, record: RecordReader, around: Dims): T {
  claimed(spec as RecordSpec<never>).forEach((isClaimed, i) => {
    if (!isClaimed) record.requireZero(i);
  });
  const dims = checkWords(spec, record.name, ({ at }) => record.word(at), around);
  const values: Values = {};
  for (const field of spec.fields) {
    const value = readField(field, record, dims);
    if (value !== undefined) values[field.name] = value;
  }
  return values as T;
}

function readField(field: Field, record: RecordReader, dims: Dims): unknown {
  if (field.type === "word") return field.isConstant ? undefined : dims[field.name];
  if (field.type === "linear") return record.linear(field.at, field.name, computeSize(field.nIn, dims), computeSize(field.nOut, dims));
  if (field.type === "scale") {
    const scale = record.scale(field.at);
    return field.isOptional && scale.multiplier === 0 && scale.shift === 0 ? undefined : scale;
  }
  return record[field.type](field.at, field.name, lengthOf(field.shape, dims));
}

/** Everything about a record's values. Returns them as dimensions for the records after it. Throws ModelError. */
export function checkRecord<T extends object>(spec: RecordSpec<T>, where: string, value: T, around: Dims): Dims {
  const values = value as Values;
  const dims = checkWords(spec, where, ({ name, isConstant, least }) => (isConstant ? least : (values[name] as number)), around);
  for (const field of spec.fields) checkField(field, `${where}: ${field.name}`, values[field.name], dims);
  spec.check?.(where, value, dims);
  return dims;
}

function checkField(field: Field, where: string, value: unknown, dims: Dims): void {
  if (field.type === "word") return;
  if (field.type === "linear") requireLinear(where, value as LinearTensors, computeSize(field.nIn, dims), computeSize(field.nOut, dims));
  else if (field.type === "scale") {
    if (value !== undefined || !field.isOptional) requireScale(where, value as FixedScale, computeSize(field.bound, dims));
  } else {
    const array = value as Int32Array;
    requireLength(where, array, lengthOf(field.shape, dims));
    const { least, most, status } = field;
    if (least === undefined || most === undefined || status === undefined) return;
    for (let i = 0; i < array.length; i++)
      if (array[i]! < least || array[i]! > most) throw imageError(status, `${where}[${i}] is ${array[i]}, ${least} … ${most} is possible`);
  }
}

/** The words of a record whose values are checked; its arrays go to `tensors`. */
export function writeRecord<T extends object>(spec: RecordSpec<T>, value: T, tensors: TensorSection): Int32Array {
  const values = value as Values;
  const words = new Int32Array(spec.words);
  for (const field of spec.fields) {
    const own = values[field.name];
    if (field.type === "word") words[field.at] = field.isConstant ? field.least : (own as number);
    else if (own === undefined) continue;
    else if (field.type === "scale") putScale(words, field.at, own as FixedScale);
    else if (field.type === "linear") putLinear(words, field.at, own as LinearTensors, tensors);
    else words[field.at] = tensors.place(own as Int32Array);
  }
  return words;
}

/** The record as a table for the README: a row per field. */
export function fieldTable(spec: RecordSpec<never>): string[] {
  const rows = spec.fields.map((field) => {
    const last = field.at + WIDTHS[field.type] - 1;
    const at = last === field.at ? `${field.at}` : `${field.at}…${last}`;
    return `| ${at} | ${field.name} | ${field.type} | ${boundsOf(field)} | ${field.text ?? ""} |`;
  });
  return ["| word | name | type | range or shape | |", "|---|---|---|---|---|", ...rows];
}

function boundsOf(field: Field): string {
  if (field.type === "linear") return `${field.nIn} → ${field.nOut}`;
  if (field.type === "scale") return `of a sum ≤ ${field.bound}${field.isOptional ? ", or 0 0" : ""}`;
  if (field.type === "word") return field.isConstant ? `${field.least}` : `${field.least} … ${field.most ?? "2^31 − 1"}`;
  const range = field.least === undefined ? "" : `, ${field.least} … ${field.most}`;
  return `(${field.shape.join(", ")})${range}`;
}
