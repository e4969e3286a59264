import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeStore } from "../../host/firmware/emulate/device-store.ts";
import type { EmulatedBoard } from "../../host/firmware/emulate/emulators/emulated-board.ts";
import { qemuArguments } from "../../host/firmware/emulate/emulators/qemu.ts";
import { childTransport } from "../../host/firmware/emulate/run-device.ts";
import { boardStore } from "../../host/firmware/mcu/device-firmware.ts";
import { loadTarget } from "../../host/firmware/mcu/target.ts";
import type { DevicePlace } from "../suites/device.ts";
import { firmwareOnce } from "./firmware-once.ts";

const PSRAM_BYTES = 16 * 1024 * 1024;

/** Arm's MPS2 in QEMU as a place where the device suite runs: its PSRAM, which begins with the store, is a file that outlives the machine. */
export function mps2Place(board: string): DevicePlace {
  return {
    async open(image) {
      const target = loadTarget(board);
      if (target.emulator?.kind !== "qemu") throw new Error(`${board} does not run in QEMU`);
      const folder = mkdtempSync(join(tmpdir(), "dormouse-mps2-"));
      const psram = join(folder, "psram");
      const bytes = new Uint8Array(PSRAM_BYTES).fill(0xff);
      bytes.set(makeStore([image], boardStore(target, image)));
      writeFileSync(psram, bytes);
      const elf = join(folder, "firmware.elf");
      writeFileSync(elf, firmwareOnce({ target, image, variant: "fast", kernels: "c", hasStore: true }));
      const backing = ["-object", `memory-backend-file,id=psram,size=16M,mem-path=${psram},share=on`, "-machine", "memory-backend=psram"];
      const args = [...qemuArguments(elf, target.emulator), ...backing];
      return {
        start: async () => childTransport(spawn("qemu-system-arm", args, { stdio: ["pipe", "pipe", "ignore"] })),
        close: async () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  };
}

/**
 * Feeds a recorded link stream to device firmware on an emulated board and returns as many bytes as are expected of it, and whatever came beyond.
 * A device says how it started before it reads: until then a UART drops what comes.
 */
export async function replayOnBoard(board: EmulatedBoard, stream: Uint8Array, expectedBytes: number): Promise<Uint8Array> {
  const first = await board.read(1);
  board.write(stream);
  const rest = await board.read(expectedBytes - 1);
  return Buffer.concat([first, rest, await board.read(board.waiting)]);
}
