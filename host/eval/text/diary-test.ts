import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { LoadedTextAgent } from "../../agent/registry.ts";
import { checked } from "../../core/system/checked.ts";
import { DataError } from "../../core/system/errors.ts";
import type { TextExample } from "../../data/text-example.ts";

/** Reads the phrasings that test an agent's diary intents, phrasings/test.json in its folder. Throws DataError or ConfigError. */
export function readDiaryTest({ folder }: LoadedTextAgent): TextExample[] {
  const path = join(folder, "phrasings", "test.json");
  if (!existsSync(path)) throw new DataError("DIARY_TEST", `${path} is not there: it holds the test phrasings, an array for each intent.`);
  const value = JSON.parse(readFileSync(path, "utf8")) as unknown;
  const schema = z.record(z.string(), z.array(z.string()).min(1));
  const phrasings = checked(schema, value, "PHRASINGS_INVALID", `${path} is not valid`, "Mend the named fields.");
  return Object.entries(phrasings).flatMap(([label, texts]) => texts.map((text) => ({ text, label })));
}
