import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FirmwareError } from "../../core/system/errors.ts";
import { readElf } from "./elf.ts";
import type { Target } from "./target.ts";

/** What a program takes of a board, and what there is for it. */
export interface ProgramSizes {
  readonly flashBytes: number;
  /** Data, arena and the stack's reserve. */
  readonly ramBytes: number;
  readonly stackReserveBytes: number;
}

/** Where the board's memory.ld puts a region, and its length. */
export function memoryRegion({ folder, id }: Target, name: "FLASH" | "STORE" | "RAM"): { readonly base: number; readonly bytes: number } {
  const script = readFileSync(join(folder, "memory.ld"), "utf8");
  const line = new RegExp(`^\\s*${name}\\b[^\\n]*ORIGIN\\s*=\\s*(0x[0-9a-fA-F]+|\\d+)[^\\n]*LENGTH\\s*=\\s*(\\d+)([KM]?)`, "m");
  const match = line.exec(script);
  if (match === null) throw new FirmwareError("MEMORY_MAP", `boards/${id}/memory.ld defines no ${name}. Add it.`);
  return { base: Number(match[1]), bytes: Number(match[2]) * (match[3] === "M" ? 1_048_576 : match[3] === "K" ? 1024 : 1) };
}

/** The part of flash and RAM that the board's memory.ld gives to the program: an update store and core-coupled banks are apart. */
export function programRoom(target: Target): { readonly flashBytes: number; readonly ramBytes: number } {
  return { flashBytes: memoryRegion(target, "FLASH").bytes, ramBytes: memoryRegion(target, "RAM").bytes };
}

/** Sizes of a linked program. */
export function programSizes(elf: Uint8Array): ProgramSizes {
  const { segments, sections, symbols } = readElf(elf);
  // What the store section holds is made by the linker too, but is no part of the program.
  const store = symbols.get("__store_start") ?? Number.POSITIVE_INFINITY;
  const storeEnd = symbols.get("__readable_end") ?? Number.POSITIVE_INFINITY;
  const isStored = (address: number): boolean => address >= store && address < storeEnd;
  const flashBytes = segments.filter(({ address }) => !isStored(address)).reduce((sum, { bytes }) => sum + bytes.length, 0);
  const inRam = sections.filter(({ name, isAllocated }) => isAllocated && /^\.(data|bss|stack)$/.test(name));
  return {
    flashBytes,
    ramBytes: inRam.reduce((sum, { bytes }) => sum + bytes, 0),
    stackReserveBytes: inRam.find(({ name }) => name === ".stack")?.bytes ?? 0,
  };
}

/** By how many bytes a failed link overflowed a region, from the linker's words; undefined for another failure. */
export function parseOverflow(message: string): { readonly region: "flash" | "ram"; readonly bytes: number } | undefined {
  const match = /region `(FLASH|RAM)' overflowed by (\d+) bytes/.exec(message);
  return match === null ? undefined : { region: match[1] === "FLASH" ? "flash" : "ram", bytes: Number(match[2]) };
}
