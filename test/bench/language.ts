import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { createFloatForward } from "../../host/lm/float-forward.ts";
import { openCheckpoint } from "../../host/lm/import/open-checkpoint.ts";
import { LanguageModel } from "../../host/lm/language-model.ts";
import type { LanguageSession } from "../../host/lm/language-session.ts";
import { quantiseLlama } from "../../host/lm/quantise.ts";

const TOKENS = 512;
const BLOCK = 8; // positions that are timed together
const ROUNDS = 3; // per turn
const CHECKED = 24; // tokens that must be the float engine's

/** Microseconds per token: of the first 8, of 256 and of 512 tokens from an empty context. */
export interface LanguageSpeed {
  readonly name: string;
  readonly at8: number;
  readonly at256: number;
  readonly at512: number;
}

/**
 * The integer core against the same decoder as float32 C, with gcc -Ofast -march=native and with plain -O3, in turns. Each block of positions
 * counts with its least time over all turns: another program on the machine makes runs longer, never shorter.
 */
export function benchLanguage(checkpointPath: string, tokenizer: string, turns = 20): LanguageSpeed[] {
  const { checkpoint } = openCheckpoint(checkpointPath, { tokenizer });
  const folder = mkdtempSync(join(tmpdir(), "dormouse-bench-"));
  try {
    const compile = (name: string, flags: readonly string[]): string => {
      const out = join(folder, name);
      execFileSync("gcc", [...flags, "-o", out, join(packageRoot(), "test/bench/llama-float.c"), "-lm"]);
      return out;
    };
    const programs = { "C -Ofast -march=native": compile("fast", ["-Ofast", "-march=native"]), "C -O3": compile("plain", ["-O3"]) };
    const model = LanguageModel.load(quantiseLlama(checkpoint, { name: "bench" }));
    const session = model.createSession({ window: TOKENS });
    const runs: Record<string, () => readonly number[]> = { "int8 SIMD": () => timeSession(session) };
    for (const [name, program] of Object.entries(programs)) runs[name] = () => timeProgram(program, checkpointPath);
    const wanted = floatTokens(createFloatForward(checkpoint));
    for (const program of Object.values(programs)) {
      const tokens = execFileSync(program, [checkpointPath, "1", `${TOKENS}`], { encoding: "utf8" })
        .split(" ")
        .slice(0, CHECKED);
      if (tokens.join(" ") !== wanted.join(" ")) throw new Error(`the C decoder writes ${tokens.join(" ")}, not ${wanted.join(" ")}`);
    }
    const least = new Map(Object.keys(runs).map((name) => [name, new Array<number>(TOKENS / BLOCK).fill(Number.POSITIVE_INFINITY)]));
    for (let turn = 0; turn < turns; turn++)
      for (const [name, run] of Object.entries(runs)) {
        const own = least.get(name)!;
        for (const [block, micros] of run().entries()) own[block] = Math.min(own[block]!, micros);
      }
    const mean = (times: readonly number[], tokens: number): number =>
      times.slice(0, tokens / BLOCK).reduce((sum, micros) => sum + micros, 0) / (tokens / BLOCK);
    return [...least].map(([name, times]) => ({ name, at8: mean(times, 8), at256: mean(times, 256), at512: mean(times, 512) }));
  } finally {
    checkpoint.close();
    rmSync(folder, { recursive: true });
  }
}

function floatTokens(forward: ReturnType<typeof createFloatForward>): number[] {
  let token = 1;
  return Array.from({ length: CHECKED }, () => {
    const logits = forward.step(token);
    token = logits.indexOf(Math.max(...logits));
    return token;
  });
}

function timeProgram(program: string, checkpoint: string): number[] {
  const lines = execFileSync(program, [checkpoint, `${ROUNDS}`, `${TOKENS}`], { encoding: "utf8" })
    .trimEnd()
    .split("\n");
  return lines[1]!.trim().split(" ").map(Number);
}

function timeSession(session: LanguageSession): number[] {
  const least = new Array<number>(TOKENS / BLOCK).fill(Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    session.reset();
    let token = 1;
    for (const block of least.keys()) {
      const start = performance.now();
      for (let i = 0; i < BLOCK; i++) {
        session.step(token);
        token = session.sample();
      }
      least[block] = Math.min(least[block]!, ((performance.now() - start) * 1000) / BLOCK);
    }
  }
  return least;
}
