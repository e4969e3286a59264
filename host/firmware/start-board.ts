import { ConfigError } from "../core/errors.ts";
import { flatten, readElf } from "./elf.ts";
import type { EmulatedBoard } from "./emulators/emulated-board.ts";
import { startQemu } from "./emulators/qemu.ts";
import { startRp2040 } from "./emulators/rp2040.ts";
import type { Target } from "./target.ts";

const SILENCE_MILLIS = 60_000;
const SILENCE_CYCLES = 4e9;

/** Runs a firmware in the board's emulator. */
export function startBoard(target: Target, elf: Uint8Array): EmulatedBoard {
  const { emulator } = target;
  if (emulator === undefined) {
    throw new ConfigError("NO_EMULATOR", `no emulator knows the ${target.id}: build for it, and emulate a board with the same core.`);
  }
  if (emulator.kind === "rp2040js") return startRp2040(flatten(readElf(elf).segments), { silenceCycles: SILENCE_CYCLES });
  return startQemu(elf, { ...emulator, silenceMillis: SILENCE_MILLIS });
}
