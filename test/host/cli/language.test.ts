import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { llamaGguf } from "../../support/llama-gguf.ts";
import { llama2cTokenizer, llama2cVersion0 } from "../../support/llama2c-files.ts";
import { randomLlama } from "../../support/random-llama.ts";
import { dataDir, noData } from "../../support/require.ts";
import { cli } from "./fake-io.ts";

/** What llama2.c writes, greedily, in float32. */
const golden =
  "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.";

const folder = mkdtempSync(join(tmpdir(), "dormouse-language-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const run = (...args: string[]) => cli(args, { cwd: folder });
const json = async (...args: string[]) => JSON.parse((await run(...args, "--json")).stdout);

beforeAll(async () => {
  const model = randomLlama({ seed: 2 });
  writeFileSync(at("model.bin"), llama2cVersion0(model));
  writeFileSync(at("tokenizer.bin"), llama2cTokenizer(model.tokenizer));
  writeFileSync(at("model.gguf"), llamaGguf(model));
  writeFileSync(at("stories.txt"), "the mouse in the house<|endoftext|>a rat on the mat");
  expect((await run("import", "model.bin", "--tokenizer", "tokenizer.bin", "--out", "model.dmm")).code).toBe(0);
});

describe("import", () => {
  it("says what it wrote; the same checkpoint gives the same image", async () => {
    const document = await json("import", "model.bin", "--tokenizer", "tokenizer.bin", "--out", "again.dmm");
    expect(document).toMatchObject({ out: at("again.dmm"), vocabulary: 320, blocks: 2, dModel: 64, context: 128, residualBits: 16 });
    expect(document.imageBytes).toBe(readFileSync(at("again.dmm")).length);
    expect(readFileSync(at("again.dmm"))).toEqual(readFileSync(at("model.dmm")));
  });

  it.each([
    ["a checkpoint cut short", ["import", "cut.bin", "--tokenizer", "tokenizer.bin", "--out", "cut.dmm"], "CHECKPOINT_SHORT", 2],
    ["no tokenizer", ["import", "model.bin", "--out", "cut.dmm"], "TOKENIZER_MISSING", 2],
    [
      "a tokenizer that a GGUF does not need",
      ["import", "model.gguf", "--tokenizer", "tokenizer.bin", "--out", "cut.dmm"],
      "TOKENIZER_UNUSED",
      2,
    ],
    ["no file", ["import", "nowhere.bin", "--out", "cut.dmm"], "CHECKPOINT_UNREADABLE", 2],
    ["no folder to write to", ["import", "model.gguf", "--out", "no/where.dmm"], "FILE_UNWRITABLE", 1],
    [
      "an image to run with a tokenizer",
      ["generate", "--model", "model.dmm", "--tokenizer", "tokenizer.bin", "--prompt", "a"],
      "OPTION_UNUSED",
      1,
    ],
    [
      "a checkpoint to run in the core",
      ["generate", "--model", "model.gguf", "--engine", "simd", "--prompt", "a"],
      "ENGINE_NEEDS_IMAGE",
      1,
    ],
    [
      "greedy and a temperature",
      ["generate", "--model", "model.dmm", "--prompt", "a", "--greedy", "--temperature", "2"],
      "OPTION_UNUSED",
      1,
    ],
    ["a window of 12", ["generate", "--model", "model.dmm", "--prompt", "a", "--window", "12"], "BAD_WINDOW", 1],
    ["no model", ["generate", "--model", "nowhere", "--prompt", "a"], "CHECKPOINT_UNREADABLE", 2],
    ["no text", ["eval-lm", "--model", "model.dmm", "--text", "nowhere.txt"], "FILE_UNREADABLE", 1],
    ["a text without tokens", ["eval-lm", "--model", "model.dmm", "--text", "empty.txt"], "EVAL_TEXT", 1],
    [
      "a tokenizer without a checkpoint",
      ["eval-lm", "--model", "model.dmm", "--text", "stories.txt", "--tokenizer", "tokenizer.bin"],
      "OPTION_ALONE",
      1,
    ],
  ])("%s → a code", async (_, args, code, exit) => {
    writeFileSync(at("cut.bin"), readFileSync(at("model.bin")).subarray(0, 5000));
    writeFileSync(at("empty.txt"), "");
    const result = await run(...args, "--json");
    expect([JSON.parse(result.stdout).error.code, result.code]).toEqual([code, exit]);
  });
});

describe("generate", () => {
  it("gives the same tokens with and without SIMD, and says bytes and speed", async () => {
    const args = ["generate", "--model", "model.dmm", "--prompt", "the mouse", "--max", "20"];
    const [simd, scalar] = [await json(...args), await json(...args, "--engine", "scalar")];
    expect(scalar.text).toBe(simd.text);
    expect(simd).toMatchObject({ engine: "simd", imageBytes: readFileSync(at("model.dmm")).length });
    for (const field of ["tokens", "tokensPerCpuSecond", "timeToFirstTokenMillis", "kvBytes", "peakBytes"])
      expect(simd[field]).toBeGreaterThan(0);
  });

  it("streams the text to stdout, and says tokens per second on stderr", async () => {
    const { stdout, stderr, code } = await run("generate", "--model", "model.dmm", "--prompt", "the mouse", "--max", "8", "--greedy");
    expect(code).toBe(0);
    expect(stdout.startsWith("the mouse")).toBe(true);
    expect(stderr).toMatch(/tokens per CPU second, first token after/);
  });

  it("a character that steers a terminal is escaped", async () => {
    const { stdout } = await run("generate", "--model", "model.dmm", "--prompt", "\u001b[2J", "--max", "1", "--greedy");
    expect(stdout).not.toContain("\u001b");
  });
});

it("eval-lm compares with the image's own weights, or with the checkpoint", async () => {
  const own = await json("eval-lm", "--model", "model.dmm", "--text", "stories.txt");
  expect(own).toMatchObject({ float: "image", resets: true });
  const other = await json("eval-lm", "--model", "model.dmm", "--text", "stories.txt", "--float", "model.gguf", "--no-reset");
  expect(other).toMatchObject({ float: "checkpoint", resets: false });
  for (const { ratio, agreement } of [own, other]) {
    expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
    expect(agreement).toBeGreaterThan(0.7);
  }
});

describe("stories260K", () => {
  it("imports to at most 300 KB; the image tells of Lily; in float32 checkpoint and image give llama2.c's golden text", async (context) => {
    const data = dataDir();
    if (data === undefined) return context.skip(noData);
    const [bin, tokenizer] = ["stories260K.bin", "tok512.bin"].map((name) => join(data, "stories260k", name)) as [string, string];
    const { imageBytes } = await json("import", bin, "--tokenizer", tokenizer, "--out", "s.dmm");
    expect(imageBytes).toBeLessThanOrEqual(300_000);
    const args = ["--prompt", "Once upon a time", "--max", "60", "--greedy"];
    const image = await json("generate", "--model", "s.dmm", ...args);
    expect(image.text.startsWith("Once upon a time, there was a little girl named Lily.")).toBe(true);
    for (const float of [
      await json("generate", "--model", bin, "--tokenizer", tokenizer, ...args),
      await json("generate", "--model", "s.dmm", "--engine", "float", ...args),
    ])
      expect(float.text.slice(0, golden.length)).toBe(golden);
  });

  it("has, over 2,000 tokens, at most 1.006 times the perplexity of float32, and agrees at 96.5 %", async (context) => {
    const data = dataDir();
    if (data === undefined) return context.skip(noData);
    const text = join(data, "tinystories-sample.txt");
    const files = ["--float", join(data, "stories260k", "stories260K.bin"), "--tokenizer", join(data, "stories260k", "tok512.bin")];
    const { tokens, ratio, agreement } = await json("eval-lm", "--model", "s.dmm", "--text", text, ...files, "--max", "2000");
    expect(tokens).toBeGreaterThanOrEqual(2000);
    expect(ratio).toBeLessThanOrEqual(1.006);
    expect(agreement).toBeGreaterThanOrEqual(0.965);
  });
});
