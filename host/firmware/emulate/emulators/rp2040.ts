import { type RP2040, Simulator } from "rp2040js";
import { FirmwareError } from "../../../core/system/errors.ts";
import type { Segment } from "../../mcu/elf.ts";
import type { EmulatedBoard } from "./emulated-board.ts";

const NANOS_PER_CYCLE = 8; // 125 MHz
const MARK_PIN = 25;
const TICK_CYCLES = 64; // peripherals' time moves in steps of so many cycles
const UART0_FLAGS = 0x40034018;
const FIFO_FULL = 1 << 6;

export interface Rp2040Options {
  /** Cycles without a byte from the board after which a read fails. */
  readonly silenceCycles: number;
  /** Wires parts to its pins. */
  readonly connect?: (mcu: RP2040) => void;
}

/** An emulated board whose time the caller may move. */
export interface EmulatedRp2040 extends EmulatedBoard {
  /** Runs for about so many cycles, with whatever the link brings; asleep, until the next timer. */
  run(cycles: number): void;
}

/** rp2040js under a run loop of our own: WFI waits for the next timer or byte, the link is fed as its FIFO has room, and what it logs as an error throws. */
export function startRp2040(image: Segment, { silenceCycles, connect }: Rp2040Options): EmulatedRp2040 {
  const { rp2040: mcu, clock } = new Simulator(); // its parts alone: its own run loop never wakes from WFI
  const fail = (part: string, message: string): never => {
    throw new FirmwareError("EMULATOR_FAULT", `rp2040js, ${part}: ${message}, at ${mcu.core.PC.toString(16)}.`);
  };
  mcu.logger = { debug: () => {}, info: () => {}, warn: () => {}, error: fail };
  const start = () => {
    mcu.flash.set(image.bytes, image.address - 0x10000000);
    mcu.core.VTOR = 0x10000100;
    mcu.core.SP = mcu.readUint32(0x10000100);
    mcu.core.PC = mcu.readUint32(0x10000104) & ~1;
  };
  start();
  connect?.(mcu);
  const uart = mcu.uart[0]!;
  const input: number[] = [];
  let fed = 0;
  const output: number[] = [];
  let heardAt = 0;
  uart.onByte = (byte) => {
    output.push(byte);
    heardAt = mcu.core.cycles;
  };
  let busyFrom = -1;
  let busy = { total: 0, longest: 0 };
  mcu.gpio[MARK_PIN]!.addListener((state) => {
    if (state === 1) busyFrom = mcu.core.cycles;
    else if (busyFrom >= 0) {
      const took = mcu.core.cycles - busyFrom;
      busy = { total: busy.total + took, longest: Math.max(busy.longest, took) };
      busyFrom = -1;
    }
  });

  const feed = () => {
    while (fed < input.length && (mcu.readUint32(UART0_FLAGS) & FIFO_FULL) === 0) uart.feedByte(input[fed++]!);
    if (fed === input.length) {
      input.length = 0;
      fed = 0;
    }
  };
  const step = () => {
    const { core } = mcu;
    if (core.waiting) {
      if (core.checkForInterrupts()) {
        core.waiting = false; // it was pending before the WFI, which rp2040js alone does not see
        return;
      }
      const wait = clock.nanosToNextAlarm;
      if (wait <= 0 && input.length === 0) fail("the link", "the board sleeps and nothing will wake it");
      clock.tick(wait > 0 ? wait : NANOS_PER_CYCLE);
      return;
    }
    const from = core.cycles;
    while (core.cycles - from < TICK_CYCLES && !core.waiting) core.executeInstruction();
    clock.tick((core.cycles - from) * NANOS_PER_CYCLE);
  };
  return {
    emulator: "rp2040js",
    unit: "cycles",
    get waiting() {
      return output.length;
    },
    write: (bytes) => bytes.forEach((byte) => void input.push(byte)),
    read(bytes) {
      heardAt = mcu.core.cycles;
      while (output.length < bytes) {
        if (input.length > 0) feed();
        step();
        if (mcu.core.cycles - heardAt > silenceCycles)
          fail("the link", `only ${output.length} of ${bytes} B and none for ${silenceCycles} cycles`);
      }
      return Promise.resolve(Uint8Array.from(output.splice(0, bytes)));
    },
    run(cycles) {
      const until = mcu.core.cycles + cycles;
      for (let isAwake = true; isAwake && mcu.core.cycles < until; isAwake = !mcu.core.waiting || input.length > 0) {
        if (input.length > 0) feed();
        step();
      }
    },
    takeBusyCycles() {
      const taken = busy;
      busy = { total: 0, longest: 0 };
      return taken;
    },
    stop: () => Promise.resolve(),
  };
}
