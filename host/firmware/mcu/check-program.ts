import { FirmwareError } from "../../core/system/errors.ts";
import type { Board } from "../../power/board.ts";
import { readElf, type Segment } from "./elf.ts";
import { isBoot2Sound } from "./image/boot2.ts";
import { readIntelHex } from "./image/intel-hex.ts";
import { readUf2 } from "./image/uf2.ts";
import { memoryRegion } from "./program-sizes.ts";
import { loadTarget, type Target, targetIds } from "./target.ts";

/**
 * Checks that a file is of the board's chip, and what it would write where: all of it in the board's flash, nothing twice, nothing into the store, and on an RP2040 a second
 * stage that the boot ROM takes. Throws FirmwareError.
 */
export function checkProgram(path: string, file: Uint8Array, board: Board): void {
  const segments = segmentsOf(path, file, board);
  if (segments.length === 0) return; // no method of a board takes a file of another kind
  checkPlaces(path, segments, board);
  checkOverlaps(path, segments);
  if (!targetIds().includes(board.id)) return;
  const target = loadTarget(board.id);
  checkStore(path, segments, target);
  if (target.family === "rp2040" && !isBoot2Sound(segments, memoryRegion(target, "FLASH").base))
    throw new FirmwareError(
      "FLASH_BOOT2",
      `${path} has no sound second stage at the start of flash: the boot ROM of ${board.id} would not start it. Build it again: dormouse build --board ${board.id}.`,
    );
}

function segmentsOf(path: string, file: Uint8Array, board: Board): readonly Segment[] {
  if (path.endsWith(".uf2")) return uf2Segments(file, board);
  if (path.endsWith(".hex")) return readIntelHex(Buffer.from(file).toString("latin1"));
  if (path.endsWith(".elf")) return readElf(file).segments;
  const dfu = board.flashing.find(({ method }) => method === "dfu");
  return path.endsWith(".bin") && !path.endsWith(".signed.bin") && dfu?.method === "dfu"
    ? [{ address: Number(dfu.address), bytes: file }]
    : [];
}

function uf2Segments(file: Uint8Array, board: Board): readonly Segment[] {
  const { familyId, segments } = readUf2(file);
  const uf2 = board.flashing.find(({ method }) => method === "uf2");
  if (uf2?.method !== "uf2" || familyId === Number(uf2.familyId)) return segments;
  throw new FirmwareError(
    "FLASH_WRONG_CHIP",
    `the file is for family ${hex(familyId)}, the ${board.id} takes ${uf2.familyId}: build it with --board ${board.id}.`,
  );
}

function checkPlaces(path: string, segments: readonly Segment[], board: Board): void {
  const flash = (board.memory.regions ?? []).filter(({ kind }) => kind === "flash");
  for (const { address, bytes } of segments) {
    const fits = flash.some(({ base, bytes: size }) => address >= Number(base) && address + bytes.length <= Number(base) + size);
    if (fits) continue;
    throw new FirmwareError(
      "FLASH_WRONG_CHIP",
      `${path} has bytes at ${hex(address)}, outside the flash of ${board.id}: it is for another chip. Build it with --board ${board.id}.`,
    );
  }
}

/** A block with another block's address has probably replaced a third one. */
function checkOverlaps(path: string, segments: readonly Segment[]): void {
  const sorted = segments.filter(({ bytes }) => bytes.length > 0).sort((a, b) => a.address - b.address);
  for (const [i, { address }] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before === undefined || before.address + before.bytes.length <= address) continue;
    throw new FirmwareError("FLASH_DOUBLED", `${path} writes ${hex(address)} twice, so another part may be missing. Build it again.`);
  }
}

function checkStore(path: string, segments: readonly Segment[], target: Target): void {
  const store = memoryRegion(target, "STORE");
  const inside = segments.find(({ address, bytes }) => address < store.base + store.bytes && address + bytes.length > store.base);
  if (inside === undefined) return;
  throw new FirmwareError(
    "FLASH_IN_STORE",
    `${path} has bytes at ${hex(Math.max(inside.address, store.base))}, in the store of ${target.id} (${hex(store.base)} to ${hex(store.base + store.bytes)}): the device would write over them. Link the program below it.`,
  );
}

const hex = (address: number) => `0x${address.toString(16)}`;
