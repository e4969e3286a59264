import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadAgent } from "../../host/agent/registry.ts";
import { emulate, fullDepth } from "../../host/firmware/emulate/emulate.ts";
import { measureCosts } from "../../host/firmware/fits/fits-measure.ts";
import { loadTarget } from "../../host/firmware/mcu/target.ts";
import { exportPortable } from "../../host/firmware/portable/portable-export.ts";
import { PORTABLE_FLAGS } from "../../host/firmware/portable/portable-layout.ts";
import { portableSources } from "../bench/peers/c-export.ts";
import { activity, activityImage, wearer } from "../support/device.ts";
import { needPrograms } from "../support/programs.ts";
import { needTools } from "../support/tools.ts";

// Exact counts of a window of activity at full depth, for the compilers that counts.json names: counts.json is written with DORMOUSE_UPDATE=1.

const file = join(import.meta.dirname, "counts.json");
const WINDOW_FRAMES = 128;
const RISE = 1.02;

interface Counts {
  readonly compilers: Readonly<Record<string, string>>;
  readonly counts: Readonly<Record<string, number>>;
}

const known = JSON.parse(readFileSync(file, "utf8")) as Counts;
const updates: Record<string, number> = {};
afterAll(() => {
  if (process.env.DORMOUSE_UPDATE !== "1") return;
  const compilers = Object.fromEntries(Object.keys(known.compilers).map((name) => [name, versionOf(name)]));
  writeFileSync(file, `${JSON.stringify({ compilers, counts: { ...known.counts, ...updates } }, null, 2)}\n`);
});

const versionOf = (compiler: string): string => spawnSync(compiler, ["-dumpfullversion"], { encoding: "utf8" }).stdout.trim();

/** Names what rose by more than 2 %, with both counts. */
function expectNoRise(found: Readonly<Record<string, number>>): void {
  if (process.env.DORMOUSE_UPDATE === "1") {
    Object.assign(updates, found);
    return;
  }
  const risen = Object.entries(found).flatMap(([name, count]) => {
    const before = known.counts[name];
    if (before === undefined) return [`${name}: ${count}, not in counts.json`];
    return count > RISE * before ? [`${name}: ${count}, was ${before} (${((count / before - 1) * 100).toFixed(1)} % more)`] : [];
  });
  expect(risen).toEqual([]);
}

describe("exact counts of a window of activity", () => {
  it.for([
    ["qemu-mps2-an386", "Cortex-M4F, instructions"],
    ["qemu-mps2-an505", "Cortex-M33, instructions"],
    ["pico", "Cortex-M0+, cycles"],
  ] as const)("%s: a window and linear-s8 128×128 as they were (needs arm gcc, wabt, qemu)", async ([id, what], context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c", "qemu-system-arm");
    if (process.env.DORMOUSE_UPDATE !== "1" && versionOf("arm-none-eabi-gcc") !== known.compilers["arm-none-eabi-gcc"])
      return context.skip("another arm-none-eabi-gcc than counts.json has");
    const options = { target: loadTarget(id), image: activityImage, variant: "fast", kernels: "c" } as const;
    const { samples, channels } = wearer(5, 2 * WINDOW_FRAMES)[0]!;
    const frames = [0, 1].map((i) => ({
      tick: i * 2000,
      samples: samples.subarray(i * WINDOW_FRAMES * channels, (i + 1) * WINDOW_FRAMES * channels),
    }));
    const emulated = await emulate({ ...options, model: activity, frames, setPoint: fullDepth(activity) });
    const window = emulated.cost / frames.length;
    if (id === "qemu-mps2-an386") {
      const fits = await measureCosts(activity, options);
      expect(Math.abs(fits.window / window - 1), `fits says ${fits.window}, emulate ${window}`).toBeLessThan(0.02);
    }
    expectNoRise({ [`${what}: window`]: Math.round(window), [`${what}: linear-s8 128×128`]: Math.round(emulated.linearCost) });
  });

  it("the C library on x86-64: a window and each kernel as they were (needs gcc, wabt, valgrind)", async (context) => {
    needTools(context, "gcc", "wasm2c");
    needPrograms(context, "valgrind");
    if (process.arch !== "x64") return context.skip("counts.json has x86-64 alone");
    if (process.env.DORMOUSE_UPDATE !== "1" && versionOf("gcc") !== known.compilers.gcc)
      return context.skip("another gcc than counts.json has");
    const folder = mkdtempSync(join(tmpdir(), "dormouse-counts-"));
    try {
      await exportPortable({ agent: await loadAgent("activity"), target: "c", outFolder: folder });
      const program = join(folder, "window");
      const driver = join(import.meta.dirname, "../bench/peers/c-export.c");
      execFileSync("gcc", [
        "-std=gnu99",
        ...PORTABLE_FLAGS,
        "-I",
        join(folder, "include"),
        ...portableSources(folder),
        driver,
        "-o",
        program,
      ]);
      writeFileSync(join(folder, "frames.bin"), Buffer.from(wearer(5, WINDOW_FRAMES)[0]!.samples.slice(0, WINDOW_FRAMES * 6).buffer));
      const out = join(folder, "callgrind.out");
      const valgrind = ["--tool=callgrind", "--toggle-collect=dormouse_step", `--callgrind-out-file=${out}`];
      execFileSync("valgrind", [...valgrind, program, join(folder, "frames.bin"), "1", `${WINDOW_FRAMES}`], { stdio: "pipe" });
      const own = instructionsOf(readFileSync(out, "utf8"));
      const kernels = Object.fromEntries(
        [...own].filter(([name]) => name.startsWith("Z_kernelsZ_")).map(([name, n]) => [`x86-64, instructions: ${name.slice(11)}`, n]),
      );
      expect(Object.keys(kernels).length).toBeGreaterThan(7);
      expectNoRise({ "x86-64, instructions: window": [...own.values()].reduce((a, b) => a + b, 0), ...kernels });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Instructions per function of a callgrind file, but for the C library's own, which differ by processor. */
function instructionsOf(callgrind: string): Map<string, number> {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  let name = "";
  let isCall = false;
  for (const line of callgrind.split("\n")) {
    const fn = /^fn=\((\d+)\)(?: (.*))?$/.exec(line);
    if (fn) {
      if (fn[2] !== undefined) names.set(fn[1]!, fn[2].replace(/'.*$/, ""));
      name = names.get(fn[1]!) ?? "";
    } else if (/^c?fn=/.test(line)) {
      const called = /^cfn=\((\d+)\) (.*)$/.exec(line);
      if (called) names.set(called[1]!, called[2]!.replace(/'.*$/, ""));
    } else if (line.startsWith("calls=")) isCall = true;
    else if (/^[+\-*\d]\S* \d+$/.test(line)) {
      if (!isCall && /^(Z_|w2c_|dormouse_)/.test(name)) counts.set(name, (counts.get(name) ?? 0) + Number(line.split(" ")[1]));
      isCall = false;
    }
  }
  return counts;
}
