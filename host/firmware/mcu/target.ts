import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { checked } from "../../core/system/checked.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { packageRoot } from "../../core/system/package-root.ts";

const CPUS = ["cortex-m0", "cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"] as const;

/** How firmware for a board is compiled and emulated: boards/<id>/firmware.json. Its memory map is memory.ld, its code hal.c. */
const targetSchema = z.strictObject({
  cpu: z.enum(CPUS),
  hasVtor: z.boolean().default(true).describe("Whether the core can move its vectors; an M0 cannot."),
  storeBytes: z.int().positive().describe("Length of STORE in memory.ld."),
  storeSectorBytes: z.int().positive().describe("What the flash erases at once there."),
  irqs: z.int().positive().default(64).describe("External interrupts that have a vector: 32, 64 or 128."),
  family: z
    .enum(["rp2040", "nrf52840", "stm32f4"])
    .optional()
    .describe("UF2 family; left out where no boot loader of the board takes UF2."),
  mcubootSlotBytes: z
    .int()
    .positive()
    .optional()
    .describe("What a boot loader has at the start of FLASH: MCUboot's first slot begins behind it. Left out: none is known to fit."),
  sources: z.array(z.string()).default(["hal.c"]),
  hasImu: z.boolean().default(false).describe("Whether hal.c has the pins of an IMU's bus."),
  emulator: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("rp2040js") }),
      z.strictObject({
        kind: z.literal("qemu"),
        machine: z.string(),
        serial: z.int().min(0).default(0).describe("Which of the machine's serial ports the link is on."),
        arguments: z.array(z.string()).default([]),
      }),
    ])
    .optional(),
});

/** A board or test machine that firmware can be built for. */
export type Target = Readonly<z.output<typeof targetSchema>> & { readonly id: string; readonly folder: string };

/** Ids of every board and test machine that firmware can be built for. */
export function targetIds(root = packageRoot()): string[] {
  const folder = join(root, "boards");
  return readdirSync(folder)
    .filter((id) => existsSync(join(folder, id, "firmware.json")))
    .sort();
}

/** One of them, checked. Throws for an id that is none. */
export function loadTarget(id: string, root = packageRoot()): Target {
  const folder = join(root, "boards", id);
  const path = join(folder, "firmware.json");
  if (!/^[a-z0-9-]+$/.test(id) || !existsSync(path)) {
    throw new ConfigError("BOARD_UNKNOWN", `there is no firmware for a board "${id}". Choose one of: ${targetIds(root).join(", ")}.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError("BOARD_JSON", `${path} is not valid JSON: ${String(cause)}. Fix the file.`, { cause });
  }
  return { ...checked(targetSchema, value, "BOARD_INVALID", path, "host/firmware/mcu/target.ts says what it holds."), id, folder };
}

/** The target if it can be emulated, else the first emulated one with the same core. */
export function emulatedTarget(target: Target): Target | undefined {
  if (target.emulator !== undefined) return target;
  return targetIds()
    .map((id) => loadTarget(id))
    .find(({ cpu, emulator }) => cpu === target.cpu && emulator !== undefined);
}
