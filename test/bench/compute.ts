import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Model } from "../../host/core/session/model.ts";
import type { Session } from "../../host/core/session/session-types.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { loadKernels } from "../support/kernels.ts";
import { randomPatches, seeded } from "../support/random.ts";
import { modelOn } from "../support/reference-model.ts";
import { deepSession, stepper } from "./deep-session.ts";
import { KERNEL_CASES } from "./kernels.ts";
import { commit, machine } from "./machine.ts";
import { type Subject, timePaired } from "./measure.ts";

// npm run bench: every kernel, scalar against SIMD; a step and a window of the shipped model on every engine.

interface Row {
  readonly what: string;
  readonly shape: string;
  readonly build: string;
  readonly nanos: number;
  readonly macsPerSecond: number;
  readonly speedup: number; // against scalar (kernels) or against the reference (model), of this run
}

async function kernelRows(): Promise<Row[]> {
  const scalar = await loadKernels("scalar");
  const simd = await loadKernels("simd");
  return KERNEL_CASES.flatMap((c) => {
    const subjects = [
      { build: "scalar", call: c.prepare(scalar) },
      { build: "simd", call: c.prepare(simd) },
    ].map(
      ({ build, call }): Subject => ({
        name: build,
        run(calls) {
          for (let i = 0; i < calls; i++) call();
        },
      }),
    );
    const nanos = timePaired(subjects);
    return [...nanos].map(([build, ns]) => row(c.kernel, c.shape, build, ns, c.macs, nanos.get("scalar")! / ns));
  });
}

function row(what: string, shape: string, build: string, nanos: number, macs: number, speedup: number): Row {
  return { what, shape, build, nanos, macsPerSecond: macs / (nanos * 1e-9), speedup };
}

async function modelRows(): Promise<{ rows: Row[]; arenaBytes: number; wasmBytes: Record<string, number> }> {
  const path = join(packageRoot(), "agents/activity/model.dmm");
  const bytes = readFileSync(path);
  const models = (["reference", "scalar", "simd"] as const).map((engine) => modelOn(engine, bytes));
  const image = models[0]!.image;
  const patches = randomPatches(seeded(2), image.channels * image.patchFrames, image.windowPatches);
  const sessions = models.map((model) => model.createSession());
  const macs = sessions[0]!.opCount(image.exits.length - 1).macs;
  const window = timePaired(
    sessions.map((session) => ({
      name: session.engine,
      run(calls) {
        for (let i = 0; i < calls; i++) {
          session.reset();
          fullWindow(session, patches, image.ringPatches);
        }
      },
    })),
  );
  const steps = timePaired(
    models.map((model) => {
      const session = deepSession(model);
      return { name: session.engine, ...stepper(model, [session]) };
    }),
  );
  const rows = [...window].map(([engine, ns]) => row("window", "activity, all exits", engine, ns, macs, window.get("reference")! / ns));
  rows.push(
    ...[...steps].map(([engine, ns]) =>
      row("step", "activity, all exits", engine, ns, macs / image.windowPatches, steps.get("reference")! / ns),
    ),
  );
  return { rows, arenaBytes: models[1]!.arenaBytes, wasmBytes: { scalar: models[1]!.wasmBytes, simd: models[2]!.wasmBytes, reference: 0 } };
}

/** A window at full depth, caught up every `patchesApart` patches: more than a ring holds would be skipped, not run. */
function fullWindow(session: Session, patches: readonly Int8Array[], patchesApart: number): void {
  for (const [i, patch] of patches.entries()) {
    session.pushPatch(patch);
    if ((i + 1) % patchesApart === 0) session.logits();
  }
  if (patches.length % patchesApart > 0) session.logits();
}

/**
 * Windows of the teacher's first image, each read from reset to the last exit: 32 through one session, one after the other, against a
 * batch of 32. Of the single way both forms: to full depth at each patch, and as seldom as the rings allow.
 */
async function batchRows(): Promise<Row[]> {
  const model = await Model.open(join(packageRoot(), "agents/activity/teacher/a.dmm"));
  const { channels, patchFrames, windowPatches, ringPatches, exits } = model.image;
  const windows = Array.from({ length: 32 }, (_, seed) => randomPatches(seeded(seed), channels * patchFrames, windowPatches));
  const sequences = windows.map((window) => Int8Array.from(window.flatMap((patch) => [...patch])));
  const session = deepSession(model, 1024);
  const macs = session.opCount(exits.length - 1).macs;
  const single = (isDeep: boolean) => (calls: number) => {
    for (let i = 0; i < calls; i++) {
      for (const window of windows) {
        session.reset();
        fullWindow(session, window, isDeep ? 1 : ringPatches);
      }
    }
  };
  const batch = model.createBatch(windowPatches);
  const subjects: Subject[] = [
    { name: "single, deep", run: single(true) },
    { name: "single", run: single(false) },
    ...[1, 8, 32].map((size) => ({
      name: `batch of ${size}`,
      run(calls: number) {
        for (let i = 0; i < calls; i++) for (let at = 0; at < 32; at += size) batch.run(sequences.slice(at, at + size));
      },
    })),
  ];
  const nanos = timePaired(subjects, 31, 20);
  return [...nanos].map(([name, ns]) => row("32 windows", name, "simd", ns / 32, macs, nanos.get("single")! / ns));
}

/** Prints the rows; with `save` appends them to test/bench/results.csv. */
export async function benchCompute({ json, save }: { readonly json: boolean; readonly save: boolean }): Promise<void> {
  const { rows: ofModel, arenaBytes, wasmBytes } = await modelRows();
  const rows = [...(await kernelRows()), ...ofModel, ...(await batchRows())];
  const here = machine();
  if (json) {
    console.log(JSON.stringify({ machine: here, commit: commit(), arenaBytes, wasmBytes, rows }));
  } else {
    console.log(`${here}, commit ${commit()}`);
    console.log(`arena ${arenaBytes} B, core-scalar.wasm ${wasmBytes.scalar} B, core-simd.wasm ${wasmBytes.simd} B\n`);
    console.log(
      ["what".padEnd(16), "shape".padEnd(20), "build".padEnd(10), "µs".padStart(10), "GMAC/s".padStart(8), "×".padStart(7)].join(" "),
    );
    for (const r of rows) {
      const cells = [
        (r.nanos / 1000).toFixed(3).padStart(10),
        (r.macsPerSecond / 1e9).toFixed(2).padStart(8),
        r.speedup.toFixed(2).padStart(7),
      ];
      console.log([r.what.padEnd(16), r.shape.padEnd(20), r.build.padEnd(10), ...cells].join(" "));
    }
  }
  if (save) {
    const file = join(packageRoot(), "test/bench/results.csv");
    const header = "date,commit,machine,what,shape,build,nanos,macsPerSecond,speedup,arenaBytes,wasmBytes\n";
    if (!existsSync(file) || readFileSync(file, "utf8") === "") appendFileSync(file, header);
    const date = new Date().toISOString().slice(0, 10);
    for (const r of rows) {
      const figures = [r.nanos.toFixed(1), r.macsPerSecond.toExponential(3), r.speedup.toFixed(2), arenaBytes, wasmBytes[r.build] ?? 0];
      appendFileSync(file, `${[date, commit(), `"${here}"`, r.what, `"${r.shape}"`, r.build, ...figures].join(",")}\n`);
    }
  }
}
