import { FirmwareError } from "../../core/system/errors.ts";
import type { EmulatedBoard } from "./emulators/emulated-board.ts";

const SPIN_INSTRUCTIONS = 300_000; // 100,000 times three
const SPIN_CYCLES = 400_000; // on an M0+: sub, cmp, and a taken branch of two

/** The operation that every probe sends unasked once its board has started. */
const OP_HELLO = 1;

/** Messages of the probes, as boards/common/probe-link.h has them: u8 operation, u16 length, payload. */
export interface ProbeLink {
  /** What the probe said at its start: s32 status, u32 arena bytes, u32 ticks of a spin, then what is its own. */
  readonly hello: DataView;
  /** Instructions (QEMU) or cycles per tick of its SysTick. */
  readonly perTick: number;
  call(op: number, payload?: Uint8Array): Promise<DataView>;
}

/** Waits for the probe's start. Throws PROBE_PREPARE if its core refused the image. */
export async function openProbeLink(board: EmulatedBoard): Promise<ProbeLink> {
  const hello = await receive(board, OP_HELLO);
  const spun = board.takeBusyCycles();
  const status = hello.getInt32(0, true);
  if (status !== 0) throw new FirmwareError("PROBE_PREPARE", `the core on the board refused the image with status ${status}.`);
  return {
    hello,
    perTick: spun === undefined ? SPIN_INSTRUCTIONS / hello.getUint32(8, true) : SPIN_CYCLES / spun.total,
    async call(op, payload = new Uint8Array(0)) {
      const message = new Uint8Array(3 + payload.length);
      message.set([op, payload.length & 255, payload.length >> 8]);
      message.set(payload, 3);
      board.write(message);
      return receive(board, op);
    },
  };
}

async function receive(board: EmulatedBoard, op: number): Promise<DataView> {
  const head = await board.read(3);
  if (head[0] !== op)
    throw new FirmwareError(
      "PROBE_ANSWER",
      `the probe answered ${head[0]} to ${op}: firmware and host are not of one version. Build again.`,
    );
  const answer = await board.read(head[1]! | (head[2]! << 8));
  return new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
}
