import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Model } from "../../../host/core/session/model.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { compileTestModule, loadKernels } from "../../support/kernels.ts";
import { deepSession, stepper } from "../deep-session.ts";
import { KERNEL_CASES } from "../kernels.ts";
import { least, timePaired } from "../measure.ts";

/** The exports of test/assembly/roofs.ts. */
interface Roofs {
  memoryBase(): number;
  readBytes(from: number, bytes: number, passes: number): number;
  multiplySimd(rounds: number): number;
  multiplyScalar(rounds: number, by: number): number;
}

/** A kernel under the roofs: multiply-accumulates per byte that it must move, and per second. */
export interface RooflinePoint {
  readonly name: string;
  readonly build: "scalar" | "simd";
  readonly macsPerByte: number;
  readonly macsPerSecond: number;
}

export interface Roofline {
  /** Bytes per second that 16-byte loads read, by the size of what they read again and again. */
  readonly bandwidths: readonly { readonly name: string; readonly bytesPerSecond: number }[];
  /** Multiply-accumulates per second without any memory. */
  readonly peaks: readonly { readonly name: string; readonly macsPerSecond: number }[];
  readonly points: readonly RooflinePoint[];
}

const READ = [
  { name: "16 KiB, first cache", bytes: 16 * 1024 },
  { name: "64 MiB, main memory", bytes: 64 * 1024 * 1024 },
];
const PAGES = 1040; // 65 MiB
const ROUNDS = 1000;
const [SIMD_MACS, SCALAR_MACS] = [64, 4]; // of a round of test/assembly/roofs.ts

/**
 * Every kernel under what this machine gives WebAssembly at most. A kernel at the left is bound by memory, one at the right by arithmetic;
 * all operands of ours lie in the first cache, as an agent's weights do. Source: Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009.
 */
export async function measureRoofline(): Promise<Roofline> {
  const roofs = await compileTestModule<Roofs>("test/assembly/roofs.ts", "simd", PAGES);
  const from = roofs.memoryBase();
  const reads = READ.map(({ name, bytes }) => ({ name, run: (calls: number) => void roofs.readBytes(from, bytes, calls) }));
  const multiplies = [
    { name: "SIMD, 16-bit products", macs: SIMD_MACS, run: (calls: number) => void roofs.multiplySimd(calls * ROUNDS) },
    { name: "scalar", macs: SCALAR_MACS, run: (calls: number) => void roofs.multiplyScalar(calls * ROUNDS, 3) },
  ];
  const nanos = timePaired([...reads, ...multiplies], 15, 20, least);
  return {
    bandwidths: READ.map(({ name, bytes }) => ({ name, bytesPerSecond: bytes / (nanos.get(name)! * 1e-9) })),
    peaks: multiplies.map(({ name, macs }) => ({ name, macsPerSecond: (macs * ROUNDS) / (nanos.get(name)! * 1e-9) })),
    points: [...(await kernelPoints()), ...windowPoints()],
  };
}

async function kernelPoints(): Promise<RooflinePoint[]> {
  const built = { scalar: await loadKernels("scalar"), simd: await loadKernels("simd") };
  const cases = KERNEL_CASES.flatMap((one) => (["scalar", "simd"] as const).map((build) => ({ one, build })));
  const name = ({ one, build }: (typeof cases)[number]): string => `${build} ${one.kernel} ${one.shape}`;
  const nanos = timePaired(
    cases.map((each) => {
      const call = each.one.prepare(built[each.build]);
      return {
        name: name(each),
        run(calls: number) {
          for (let i = 0; i < calls; i++) call();
        },
      };
    }),
    31,
    4,
    least,
  );
  return cases.map((each) => ({
    name: `${each.one.kernel} ${each.one.shape}`,
    build: each.build,
    macsPerByte: each.one.macs / each.one.bytes,
    macsPerSecond: each.one.macs / (nanos.get(name(each))! * 1e-9),
  }));
}

/** Windows of the activity agent, one decision of the last exit each: its weights are read once a patch. */
function windowPoints(): RooflinePoint[] {
  const bytes = new Uint8Array(readFileSync(join(packageRoot(), "agents/activity/model.dmm")));
  const sessions = (["scalar", "simd"] as const).map((build) => {
    const model = Model.load(bytes, { engine: build });
    const session = deepSession(model, model.image.windowPatches);
    return { build, ...stepper(model, [session]), ...model.image, ...session.opCount(model.image.exits.length - 1) };
  });
  const nanos = timePaired(
    sessions.map(({ build, run }) => ({ name: build, run })),
    31,
    4,
    least,
  );
  return sessions.map(({ build, windowPatches, macs, weightBytes }) => ({
    ...{ name: "a window of activity", build, macsPerByte: macs / weightBytes },
    macsPerSecond: macs / windowPatches / (nanos.get(build)! * 1e-9),
  }));
}
