import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RP2040 } from "rp2040js";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { runTool } from "../../host/firmware/c/tools.ts";
import { makeStore } from "../../host/firmware/emulate/device-store.ts";
import { startRp2040 } from "../../host/firmware/emulate/emulators/rp2040.ts";
import { boardStore } from "../../host/firmware/mcu/device-firmware.ts";
import { flatten, readElf } from "../../host/firmware/mcu/elf.ts";
import { loadTarget } from "../../host/firmware/mcu/target.ts";
import type { DevicePlace } from "../suites/device.ts";
import { firmwareOnce } from "./firmware-once.ts";

const FLASH = 0x10000000;
const RAM = 0x20000000;
const SECTOR_BYTES = 4096;
const PAGE_BYTES = 256;
const ERASE_NANOS = 45e6; // of a sector, typical (W25Q16JV)
const STEP_CYCLES = 500_000;
const SILENCE_CYCLES = 4e9;

/** The words of test/boards/boot-rom.S. */
export function bootRom(): Uint32Array {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-rom-"));
  try {
    const [source, elf] = [join(packageRoot(), "test", "boards", "boot-rom.S"), join(folder, "rom.elf")];
    const flags = ["-mcpu=cortex-m0plus", "-mthumb", "-nostdlib", "-Wl,-Ttext=0", "-Wl,-e,0", "-Wl,-n", "-Wl,--build-id=none"];
    runTool("arm-none-eabi-gcc", [...flags, source, "-o", elf], "it assembles a boot ROM", folder);
    const { bytes } = flatten(readElf(new Uint8Array(readFileSync(elf))).segments);
    const words = new Uint32Array(Math.ceil(bytes.length / 4));
    new Uint8Array(words.buffer).set(bytes);
    return words;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Flash as the boot ROM's functions leave it: sectors are erased whole, in their time, programming only clears bits. A call out of order, or from flash, throws. */
export function answerRom(mcu: RP2040): void {
  let isXip = true;
  let isConnected = false;
  const refuse = (what: string): never => {
    throw new Error(`the boot ROM was called wrongly: ${what}`);
  };
  mcu.onBreak = (number) => {
    const [at, second, third] = [mcu.core.registers[0]!, mcu.core.registers[1]!, mcu.core.registers[2]!];
    if (mcu.core.registers[14]! < RAM)
      refuse(`function ${number} returns to ${mcu.core.registers[14]!.toString(16)}, where nothing can be read`);
    if (number === 1) isConnected = true;
    else if (number === 2) isXip = false;
    else if (number === 6) [isXip, isConnected] = [true, false];
    else if (isXip || !isConnected) refuse(`function ${number} while the flash is mapped`);
    if (number === 3) {
      if (at % SECTOR_BYTES !== 0 || second % SECTOR_BYTES !== 0) refuse(`erases ${second} B at ${at}`);
      mcu.flash.fill(0xff, at, at + second);
      (mcu.clock as unknown as { tick(nanos: number): void }).tick((second / SECTOR_BYTES) * ERASE_NANOS);
    }
    if (number === 4) {
      if (at % PAGE_BYTES !== 0 || third % PAGE_BYTES !== 0) refuse(`programs ${third} B at ${at}`);
      for (let i = 0; i < third; i++) mcu.flash[at + i]! &= mcu.readUint8(second + i);
    }
  };
}

/** The Pico's firmware in rp2040js as a place where the device suite runs: its flash is written by its own code and outlives the power. */
export function picoPlace(): DevicePlace {
  return {
    async open(image) {
      const target = loadTarget("pico");
      const { segments, symbols } = readElf(firmwareOnce({ target, image, variant: "fast", kernels: "c", hasStore: true }));
      const program = flatten(segments.filter(({ address }) => address < symbols.get("__store_start")!));
      const storeAt = symbols.get("__store_start")! - FLASH;
      const rom = bootRom();
      const store = new Uint8Array(target.storeBytes).fill(0xff);
      store.set(makeStore([image], boardStore(target, image)));
      return {
        async start() {
          let mcu: RP2040 | undefined;
          const board = startRp2040(program, {
            silenceCycles: SILENCE_CYCLES,
            connect(rp2040) {
              mcu = rp2040;
              mcu.bootrom.set(rom);
              mcu.flash.set(store, storeAt);
              answerRom(mcu);
            },
          });
          let hasPower = true;
          let end = (_code: undefined) => {};
          const ended = new Promise<undefined>((resolve) => {
            end = resolve;
          });
          return {
            write: (bytes) => board.write(bytes),
            async read() {
              while (hasPower && board.waiting === 0) {
                board.run(STEP_CYCLES);
                await new Promise((resolve) => setImmediate(resolve)); // for whoever writes
              }
              return hasPower ? board.read(board.waiting) : new Uint8Array(0);
            },
            end: () => {},
            async kill() {
              hasPower = false;
              store.set(mcu!.flash.subarray(storeAt, storeAt + store.length));
              end(undefined);
            },
            ended,
          };
        },
        close: async () => {},
      };
    },
  };
}
