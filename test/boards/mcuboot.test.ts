import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runTool } from "../../host/firmware/c/tools.ts";
import { startQemu } from "../../host/firmware/emulate/emulators/qemu.ts";
import { makeLinkStream } from "../../host/firmware/emulate/link-stream.ts";
import { replayDevice } from "../../host/firmware/emulate/replay-device.ts";
import { deviceMemoryBytes } from "../../host/firmware/mcu/build-options.ts";
import { deviceFirmware } from "../../host/firmware/mcu/device-firmware.ts";
import { flatten, readElf } from "../../host/firmware/mcu/elf.ts";
import { MCUBOOT_HEADER_BYTES, writeMcuboot } from "../../host/firmware/mcu/image/mcuboot.ts";
import { loadTarget } from "../../host/firmware/mcu/target.ts";
import { activityImage, wearer } from "../support/device.ts";
import { replayOnBoard } from "../support/emulated-device.ts";
import { needTools } from "../support/tools.ts";

const BOARD = "qemu-mps2-an386";

it("runs from MCUboot's first slot, behind the header, started as a boot loader starts it (needs arm gcc, wabt, qemu)", async (context) => {
  needTools(context, "arm-none-eabi-gcc", "wasm2c", "qemu-system-arm");
  const target = loadTarget(BOARD);
  const { emulator, mcubootSlotBytes: slot } = target;
  if (emulator?.kind !== "qemu" || slot === undefined) throw new Error(`${BOARD} has no slot in QEMU`);
  const made = { target, image: activityImage, variant: "fast", kernels: "c", hasStore: false } as const;
  const payload = flatten(readElf(deviceFirmware({ ...made, flashOffsetBytes: slot + MCUBOOT_HEADER_BYTES })).segments);
  expect(payload.address).toBe(slot + MCUBOOT_HEADER_BYTES);
  const signed = writeMcuboot(payload.bytes, {
    key: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    version: [1, 0, 0],
    securityCounter: 1,
    contract: { runs: [6, 6, 0, 0], linkVersion: 1, storeVersion: 1, arenaBytes: 1, imageHash: "00".repeat(32) },
  });
  const folder = mkdtempSync(join(tmpdir(), "dormouse-mcuboot-"));
  try {
    const [loader, inSlot] = [join(folder, "loader.elf"), join(folder, "signed.bin")];
    const sources = [join(import.meta.dirname, "boot-loader.c"), "-T", join(import.meta.dirname, "boot-loader.ld")];
    const flags = ["-mcpu=cortex-m4", "-mthumb", "-O2", "-nostdlib", `-DSLOT=${slot}u`, "-Wl,--build-id=none"];
    runTool("arm-none-eabi-gcc", [...flags, ...sources, "-o", loader], "it compiles a boot loader", folder);
    writeFileSync(inSlot, signed);
    const more = [...emulator.arguments, "-device", `loader,file=${inSlot},addr=${slot},force-raw=on`];
    const board = startQemu(new Uint8Array(readFileSync(loader)), { ...emulator, arguments: more, silenceMillis: 20_000 });
    try {
      const stream = makeLinkStream(wearer(3, 400));
      const here = replayDevice({ stream, factory: [activityImage], memoryBytes: deviceMemoryBytes(activityImage) });
      expect(Buffer.compare(await replayOnBoard(board, stream, here.output.length), here.output)).toBe(0);
    } finally {
      await board.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
