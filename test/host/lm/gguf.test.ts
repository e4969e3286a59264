import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { llamaGguf } from "../../support/llama-gguf.ts";
import { randomLlama } from "../../support/random-llama.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("F32, F16, BF16, Q8_0 and Q4_0 mixed in one file give the weights within each type's step", () => {
  const model = randomLlama({ seed: 1 });
  const types = ["F32", "F16", "BF16", "Q8_0", "Q4_0"] as const;
  const steps = { F32: 0, F16: 2 ** -11, BF16: 2 ** -8, Q8_0: 0.6 / 127, Q4_0: 1.1 / 8 };
  const path = join(folder, "mixed.gguf");
  let next = 0;
  const typeByName = new Map<string, (typeof types)[number]>();
  const typeOf = (name: string) => {
    const type = types[next++ % types.length]!;
    typeByName.set(name, type);
    return type;
  };
  writeFileSync(path, llamaGguf(model, typeOf));
  const { checkpoint, tokenizer } = openCheckpoint(path);
  expect(checkpoint.shape).toEqual({ ...model.checkpoint.shape, normEpsilon: Math.fround(model.checkpoint.shape.normEpsilon) });
  expect(tokenizer).toEqual({ ...model.tokenizer, eos: [2] });
  const { hidden, dim } = checkpoint.shape;
  const [gate, was] = [checkpoint, model.checkpoint].map((one) => one.rows({ layer: 1, part: "gate" }, 0, hidden));
  const most = Math.max(...was!.map(Math.abs));
  const step = steps[typeByName.get("blk.1.ffn_gate.weight")!];
  expect(Math.max(...was!.map((value, i) => Math.abs(value - gate![i]!)))).toBeLessThanOrEqual(step * most);
  expect(checkpoint.gain("final")).toEqual(model.checkpoint.gain("final"));
  expect(checkpoint.rows("embedding", 2, 3)).toHaveLength(dim);
  checkpoint.close();
});
