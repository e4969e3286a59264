import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { blockKinds, kindOfNumber } from "../../../../host/core/image/blocks/block.ts";
import { fieldTable, type RecordSpec } from "../../../../host/core/image/image-fields.ts";
import * as records from "../../../../host/core/image/image-records.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { textSpec } from "../../../../host/core/text/text-image.ts";

const README = join(packageRoot(), "assembly", "README.md");
const [START, END] = ["<!-- records -->", "<!-- /records -->"];

const specs = [
  ...[
    records.featureSpec,
    records.modelSpec,
    records.inputSpec,
    records.headSpec,
    records.smoothingSpec,
    records.ldaSpec,
    records.plausibilitySpec,
    records.exitSpec,
  ],
  textSpec,
  ...blockKinds.map((kind) => kindOfNumber(kind)!.spec),
] as RecordSpec<never>[];

it("prints the records in assembly/README.md (DORMOUSE_WRITE_GOLDEN=1 writes them)", () => {
  const text = specs.map((spec) => `**${spec.name}**, ${spec.words} words\n\n${fieldTable(spec).join("\n")}`).join("\n\n");
  const readme = readFileSync(README, "utf8");
  const [from, to] = [readme.indexOf(START) + START.length, readme.indexOf(END)];
  if (process.env.DORMOUSE_WRITE_GOLDEN === "1") writeFileSync(README, `${readme.slice(0, from)}\n${text}\n${readme.slice(to)}`);
  else expect(readme.slice(from, to).trim()).toBe(text);
});

it("claims no word of a record twice", () => {
  for (const { name, words, fields } of specs) {
    const claims = fields.flatMap(({ at, type }) =>
      Array.from({ length: { word: 1, scale: 2, linear: 6, s8: 1, s16: 1, s32: 1 }[type] }, (_, i) => at + i),
    );
    expect({ name, twice: claims.filter((word, i) => claims.indexOf(word) !== i) }).toEqual({ name, twice: [] });
    expect(Math.max(...claims)).toBeLessThan(words);
  }
});
