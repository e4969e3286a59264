import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { weightBytesPerToken, xipMissCycles } from "../../host/firmware/emulate/xip-misses.ts";
import { loadTarget } from "../../host/firmware/mcu/target.ts";
import { LanguageModel } from "../../host/lm/language-model.ts";
import { quantiseLlama } from "../../host/lm/quantise.ts";
import { encodeTokenizer } from "../../host/lm/tokenizer-section.ts";
import { cli } from "../host/cli/fake-io.ts";
import { randomLlama } from "../support/random-llama.ts";
import { dataDir, noData } from "../support/require.ts";
import { tinyShape } from "../support/tiny-llama.ts";
import { needTools } from "../support/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-emulate-lm-"));
afterAll(() => rmSync(folder, { recursive: true }));
const run = (...args: string[]) => cli([...args, "--json"], { cwd: folder });
const emulate = (...args: string[]) => run("emulate", "--board", "pico", ...args);

/** A random language model of 320 tokens as an image. */
function randomImage(groups: 0 | 32 = 0, shape: Partial<typeof tinyShape> = {}): Uint8Array {
  const { checkpoint, tokenizer } = randomLlama({ ...tinyShape, dim: 40, heads: 5, vocab: 320, seed: 5, ...shape });
  return quantiseLlama(checkpoint, { name: "random", tokenizer: encodeTokenizer(tokenizer), groups });
}

describe("emulate --lm", () => {
  it.for([
    { what: "by row, C kernels", groups: 0, args: [] },
    { what: "in groups, wasm kernels, every access checked", groups: 32, args: ["--kernels", "wasm", "--variant", "safe"] },
  ] as const)(
    "a random model past its ring on a Pico → the host's tokens and logits ($what; needs arm gcc, wabt)",
    async (setting, context) => {
      needTools(context, "arm-none-eabi-gcc", "wasm2c");
      writeFileSync(join(folder, "random.dmm"), randomImage(setting.groups));
      const sizes = ["--context", "96", "--window", "16"];
      const { code, stdout, stderr } = await emulate("--lm", "random.dmm", "--prompt", "the mouse", ...sizes, ...setting.args);
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ emulator: "rp2040js", tokens: 64, context: 96, window: 16, identical: true });
    },
  );

  it("stories260K on a Pico → the host's tokens, ≤ 4.5 M cycles at context 128, ≤ 140 KB of RAM (needs data, arm gcc, wabt)", async (context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c");
    const stories = join(dataDir() ?? context.skip(noData), "stories260k");
    const tokenizer = ["--tokenizer", join(stories, "tok512.bin")];
    expect((await run("import", join(stories, "stories260K.bin"), ...tokenizer, "--out", "s.dmm")).code).toBe(0);
    const { code, stdout, stderr } = await emulate("--lm", "s.dmm", "--tokens", "8");
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ tokens: 8, context: 128, window: 256, identical: true });
    expect(result.text).toContain("Once upon a time, there was a little girl named Lily.");
    expect(result.cyclesPerToken).toBeLessThanOrEqual(4_500_000);
    expect(result.xipMissCyclesPerToken).toBeGreaterThan(12e6);
    expect(result.xipMissCyclesPerToken).toBeLessThan(18e6);
    expect(result.ramBytes).toBeLessThanOrEqual(140 * 1024);
    expect(result.flashBytes - result.imageBytes).toBeLessThanOrEqual(20_000); // the image is there once, in flash
    expect(result.stackBytes).toBeLessThanOrEqual(0.75 * 2048); // sections.ld
  });

  it("what cannot run is refused by name before anything is built", async () => {
    writeFileSync(join(folder, "random.dmm"), randomImage());
    writeFileSync(join(folder, "cut.dmm"), randomImage().subarray(0, 3000));
    const lm = ["--lm", "random.dmm"];
    const cases: readonly (readonly [string, ...string[]])[] = [
      ["EMULATE_WHAT"],
      ["EMULATE_WHAT", "activity", ...lm],
      ["OPTION_ALONE", "activity", "--prompt", "a"],
      ["OPTION_UNUSED", ...lm, "--windows", "2"],
      ["CONTEXT_TOO_SHORT", ...lm, "--tokens", "8", "--context", "9"],
      ["BAD_WINDOW", ...lm, "--window", "12"],
      ["IMAGE_UNREADABLE", "--lm", "nowhere.dmm"],
      ["IMAGE_TRUNCATED", "--lm", "cut.dmm"],
    ];
    for (const [name, ...args] of cases) {
      const { code, stdout } = await emulate(...args);
      expect([(JSON.parse(stdout) as { error: { code: string } }).error.code, code], args.join(" ")).toEqual([name, 1]);
    }
  });
});

describe("the calculated cost of XIP misses", () => {
  const { image } = LanguageModel.load(randomImage(0, { dim: 64, heads: 8, tiedHead: false }), "scalar");
  // Two blocks (qkv 80, out 64, gate and up 56, down 64 rows of 64, 64, 64 and 32 bytes), 320 rows of the head, gains, one embedding row.
  const blocks = 2 * ((80 + 64 + 56) * (64 + 2) + 64 * (32 + 2) + 2 * 128);
  const bytes = blocks + 320 * (64 + 2) + 128 + 64 + 2;

  it("counts each matrix once and one row of an embedding that is not the head", () => {
    expect(weightBytesPerToken(image)).toBe(bytes);
  });

  it("is 64 serial clocks of four cycles per word on an RP2040, and unknown elsewhere", () => {
    expect(xipMissCycles(loadTarget("pico"), image)).toBe(Math.ceil(bytes / 4) * 256);
    expect(xipMissCycles(loadTarget("feather-stm32f405"), image)).toBeUndefined();
  });
});
