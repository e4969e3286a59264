import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { lmFieldTable, wordsOf } from "../../../host/lm/image-fields.ts";
import { decoderSpec, languageSpec, modelSpec, tokensSpec } from "../../../host/lm/image-records.ts";

const README = join(packageRoot(), "assembly", "README.md");
const [START, END] = ["<!-- language records -->", "<!-- /language records -->"];
const specs = [modelSpec, tokensSpec, decoderSpec, languageSpec];

it("prints the language records in assembly/README.md (DORMOUSE_WRITE_GOLDEN=1 writes them)", () => {
  const text = specs.map((spec) => `**${spec.name}**, ${spec.words} words\n\n${lmFieldTable(spec).join("\n")}`).join("\n\n");
  const readme = readFileSync(README, "utf8");
  const [from, to] = [readme.indexOf(START) + START.length, readme.indexOf(END)];
  if (process.env.DORMOUSE_WRITE_GOLDEN === "1") writeFileSync(README, `${readme.slice(0, from)}\n${text}\n${readme.slice(to)}`);
  else expect(readme.slice(from, to).trim()).toBe(text);
});

it("claims no word of a record twice", () => {
  for (const { name, words, fields } of specs) {
    const claims = fields.flatMap(wordsOf);
    expect({ name, twice: claims.filter((word, i) => claims.indexOf(word) !== i) }).toEqual({ name, twice: [] });
    expect(Math.max(...claims)).toBeLessThan(words);
  }
});
