import { existsSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { DataError } from "../../core/system/errors.ts";
import type { TextDataset, TextExample } from "../text-example.ts";
import { csvLines, lineError } from "./csv-lines.ts";

/** Every so many texts of a label, one validates. */
const VALIDATION_EVERY = 5;
/** Texts that a label needs, so that some fit and one validates. */
const LEAST_TEXTS = 5;
const MOST_LABELS = 256;
const LONGEST_LABEL = 64;
/** The label of texts that are none of the others. */
const OUT_OF_SCOPE = "oos";

/** Whether a file is a CSV of texts: its header has the columns text and label. */
export function isTextCsv(path: string): boolean {
  if (!/\.csv$/i.test(path) || !existsSync(path) || !statSync(path).isFile()) return false;
  for (const { fields } of csvLines(new Uint8Array(readFileSync(path)), path)) return columnsOf(fields) !== undefined;
  return false;
}

function columnsOf(header: readonly string[]): { readonly text: number; readonly label: number } | undefined {
  const names = header.map((name) => name.toLowerCase());
  const [text, label] = [names.indexOf("text"), names.indexOf("label")];
  return text < 0 || label < 0 ? undefined : { text, label };
}

/** Reads a CSV with the columns text and label, in any order, others ignored. Throws DataError with the line. */
export function readTextCsv(path: string): TextExample[] {
  const examples: TextExample[] = [];
  let columns: ReturnType<typeof columnsOf>;
  let width = 0;
  for (const { line, fields } of csvLines(new Uint8Array(readFileSync(path)), path)) {
    if (columns === undefined) {
      columns = columnsOf(fields);
      if (columns === undefined) throw lineError(path, line, "no columns text and label", "Begin the file with text,label.");
      width = fields.length;
      continue;
    }
    if (fields.length !== width)
      throw lineError(path, line, `${fields.length} fields, the header has ${width}`, "Put text that holds a comma in double quotes.");
    const [text, label] = [fields[columns.text]!, fields[columns.label]!];
    if (label === "" || label.length > LONGEST_LABEL)
      throw lineError(path, line, `a label of ${label.length} characters`, `Give 1 to ${LONGEST_LABEL}.`);
    examples.push({ text, label });
  }
  return examples;
}

/** A CSV of texts as a data set: of each label's texts, in the file's order, every fifth validates. Throws DataError TEXT_CSV. */
export function loadTextCsv(path: string): TextDataset {
  const examples = readTextCsv(path);
  const counts = new Map<string, number>();
  const [fit, validation]: [TextExample[], TextExample[]] = [[], []];
  for (const example of examples) {
    const count = (counts.get(example.label) ?? 0) + 1;
    counts.set(example.label, count);
    (count % VALIDATION_EVERY === 0 ? validation : fit).push(example);
  }
  const labels = [...counts.keys()].sort();
  if (labels.length < 2 || labels.length > MOST_LABELS)
    throw new DataError("TEXT_CSV", `${path} has ${labels.length} labels: give 2 to ${MOST_LABELS}.`);
  const rare = labels.find((label) => counts.get(label)! < LEAST_TEXTS);
  if (rare !== undefined)
    throw new DataError("TEXT_CSV", `${path} has ${counts.get(rare)} texts of "${rare}": give at least ${LEAST_TEXTS} of each label.`);
  if (labels.length === 2 && labels.includes(OUT_OF_SCOPE))
    throw new DataError("TEXT_CSV", `${path} has one label besides ${OUT_OF_SCOPE}: give two or more.`);
  return {
    labels,
    outOfScope: labels.filter((label) => label === OUT_OF_SCOPE),
    fit,
    validation,
    provenance: { data: basename(path), licence: "not stated" },
  };
}
