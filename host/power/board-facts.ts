import { z } from "zod";

const address = z
  .string()
  .regex(/^0x[0-9a-f]{8}$/)
  .describe("An address, eight hexadecimal digits.");

const uint16 = z.string().regex(/^[0-9a-f]{4}$/);

/** Processor facts that a compiler needs. */
export const cpuSchema = z
  .strictObject({
    name: z.string().min(1).describe("gcc's -mcpu name."),
    hasDsp: z.boolean().describe("SMLAD, SXTB16 and their kin: the C kernels use them."),
    hasFpu: z.boolean().describe("Dormouse has no floating point on its step path; this is for the user's own code."),
  })
  .describe("Microcontrollers only.");

/** Binaries that a Linux board runs. */
export const linuxSchema = z
  .strictObject({ architecture: z.enum(["amd64", "arm64"]).describe("As Debian names it.") })
  .describe("Boards that run Linux only.");

const regionSchema = z.strictObject({
  name: z.string().min(1),
  kind: z.enum(["flash", "ram"]),
  base: address,
  bytes: z.int().positive(),
  note: z.string().min(1).optional(),
});

export const memorySchema = z
  .strictObject({
    flashBytes: z.int().positive().optional().describe("Flash that the program may use, in bytes."),
    ramBytes: z.int().positive().optional().describe("RAM in bytes."),
    regions: z
      .array(regionSchema)
      .min(2)
      .optional()
      .describe("The memory map. The first flash region holds the program, the first RAM region data, arena and stack."),
  })
  .describe("Left out if it varies.");

/** Ports that carry link frames. */
export const linkSchema = z.strictObject({
  kind: z.literal("uart"),
  peripheral: z.string().min(1),
  tx: z.string().min(1).describe("The board's pin that transmits."),
  rx: z.string().min(1),
  baud: z.int().positive(),
});

/** Pins of an IMU, if the board has a customary I²C port. */
export const imuSchema = z.strictObject({
  bus: z.string().min(1),
  sda: z.string().min(1),
  scl: z.string().min(1),
});

/** One way to bring a program onto the board. */
const flashMethodSchema = z.discriminatedUnion("method", [
  z.strictObject({
    method: z.literal("uf2"),
    familyId: address,
    volumeLabel: z.string().min(1).describe("Of the drive that the boot loader shows."),
    boardId: z.string().min(1).describe("Board-ID in that drive's INFO_UF2.TXT."),
    how: z.string().min(1).describe("How a person gets the drive to appear."),
  }),
  z.strictObject({
    method: z.literal("openocd"),
    interface: z.string().min(1).describe("OpenOCD's script of the probe."),
    transport: z.string().min(1).optional(),
    target: z.string().min(1).describe("OpenOCD's script of the chip."),
  }),
  z.strictObject({
    method: z.literal("dfu"),
    vendorId: uint16,
    productId: uint16,
    alt: z.int().min(0),
    address: address,
    how: z.string().min(1),
  }),
  z.strictObject({ method: z.literal("picotool") }),
]);

export const flashingSchema = z.array(flashMethodSchema).describe("The usual way first. Empty: nothing to flash.");

/** Emulator that replaces the board in tests, and how it differs from the silicon. */
export const emulatorSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("qemu"),
    machine: z.string().min(1),
    serialIndex: z.int().min(0).describe("Which of QEMU's -serial is the link."),
    differences: z.array(z.string().min(1)),
  }),
  z.strictObject({ kind: z.literal("rp2040js"), differences: z.array(z.string().min(1)) }),
]);

export const sourceSchema = z.strictObject({
  facts: z.array(z.string().min(1)).min(1).describe("Keys of this file that the source vouches for."),
  source: z.string().min(1),
});
