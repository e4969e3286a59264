import type { Model } from "../../core/session/model.ts";
import { instantiateCore } from "../../core/session/module.ts";
import type { ImuAxes } from "../../data/imu-axes.ts";
import type { MemoryVariant } from "../c/compile.ts";
import type { CModuleName } from "../c/generated-c.ts";
import { replayDevice } from "../emulate/replay-device.ts";
import type { Target } from "./target.ts";

/** c: the kernels of boards/common/kernels.c, with SMLAD if the core has it; wasm: those of the wasm module, through wasm2c. */
export type KernelChoice = "c" | "wasm";

/** What firmware is made of. */
export interface FirmwareOptions {
  readonly target: Target;
  readonly image: Uint8Array;
  readonly variant: MemoryVariant;
  readonly kernels: KernelChoice;
  /** How the IMU sits on the body. Default: as the chip has its axes. */
  readonly imuAxes?: ImuAxes;
}

export function findModule(program: "core" | "device" | "lm", kernels: KernelChoice): CModuleName {
  return kernels === "c" ? `${program}-kernels` : program;
}

/** Bytes of linear memory that the core alone needs for a model. */
export function coreMemoryBytes(model: Model): number {
  return align16(instantiateCore("scalar").memoryBase() + model.arenaBytes);
}

const ROOMY_BYTES = 65536;

/** Bytes of linear memory that the device program needs for an image: static data, arena, asks. Found by starting it. */
export function deviceMemoryBytes(image: Uint8Array): number {
  return align16(replayDevice({ stream: new Uint8Array(0), factory: [image], memoryBytes: ROOMY_BYTES }).memoryUsedBytes);
}

function align16(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
