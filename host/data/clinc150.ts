import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../core/system/errors.ts";
import type { TextExample } from "./text-example.ts";

/** The label of CLINC150's queries that are none of its 150 intents. */
export const CLINC_OUT_OF_SCOPE = "oos";

/** CLINC150 (data_full): 150 intents and queries out of scope. Source: Larson et al., EMNLP 2019, D19-1131; CC BY 3.0. */
export interface Clinc150 {
  readonly intents: readonly string[]; // sorted
  readonly train: readonly TextExample[]; // 15,000 in scope
  readonly validation: readonly TextExample[]; // 3,000
  readonly test: readonly TextExample[]; // 4,500
  readonly outOfScope: {
    readonly train: readonly TextExample[];
    readonly validation: readonly TextExample[];
    readonly test: readonly TextExample[];
  };
}

const queries = z.array(z.tuple([z.string(), z.string()])).min(1);
const schema = z.object({ train: queries, val: queries, test: queries, oos_train: queries, oos_val: queries, oos_test: queries });

/** Reads data_full.json from the data set's folder or its parent (as `clinc150`). Throws DataError CLINC_MISSING or CLINC_INVALID. */
export function loadClinc150(dir: string): Clinc150 {
  const path = [join(dir, "data_full.json"), join(dir, "clinc150", "data_full.json")].find((one) => existsSync(one));
  if (path === undefined)
    throw new DataError("CLINC_MISSING", `${dir} has no data_full.json of CLINC150: give the folder that holds it, or the one above.`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new DataError("CLINC_INVALID", `${path} is not valid JSON: copy or download it again.`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new DataError(
      "CLINC_INVALID",
      `${path} is not CLINC150's data_full: ${issue.path.join(".")}: ${issue.message}. Download it again.`,
    );
  }
  const examples = (rows: readonly (readonly [string, string])[]): TextExample[] => rows.map(([text, label]) => ({ text, label }));
  const { train, val, test, oos_train, oos_val, oos_test } = parsed.data;
  return {
    intents: [...new Set(train.map(([, label]) => label))].sort(),
    train: examples(train),
    validation: examples(val),
    test: examples(test),
    outOfScope: { train: examples(oos_train), validation: examples(oos_val), test: examples(oos_test) },
  };
}
