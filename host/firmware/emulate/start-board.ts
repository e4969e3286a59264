import { ConfigError } from "../../core/system/errors.ts";
import { flatten, readElf } from "../mcu/elf.ts";
import { emulatedTarget, type Target } from "../mcu/target.ts";
import type { EmulatedBoard } from "./emulators/emulated-board.ts";
import { startQemu } from "./emulators/qemu.ts";
import { startRp2040 } from "./emulators/rp2040.ts";

const SILENCE_MILLIS = 60_000;
const SILENCE_CYCLES = 4e9;

/** What emulates a board. Throws NO_EMULATOR, which names a board with the same core that something does. */
export function findEmulator(target: Target): NonNullable<Target["emulator"]> {
  if (target.emulator !== undefined) return target.emulator;
  const standIn = emulatedTarget(target);
  const other = standIn === undefined ? "" : `, and emulate the ${standIn.id}, which has the same core`;
  throw new ConfigError("NO_EMULATOR", `no emulator knows the ${target.id}: build for it${other}.`);
}

/** Runs a firmware in the board's emulator. */
export function startBoard(target: Target, elf: Uint8Array): EmulatedBoard {
  const emulator = findEmulator(target);
  if (emulator.kind === "rp2040js") return startRp2040(flatten(readElf(elf).segments), { silenceCycles: SILENCE_CYCLES });
  return startQemu(elf, { ...emulator, silenceMillis: SILENCE_MILLIS });
}
