import { FirmwareError } from "../../core/system/errors.ts";
import type { EmulatedBoard } from "./emulators/emulated-board.ts";

const OP_HELLO = 1;
const OP_SET_POINT = 2;
const OP_FRAMES = 3;
const OP_STACK = 4;
const OP_LINEAR = 5;
const SPIN_INSTRUCTIONS = 300_000; // 100,000 times three
const SPIN_CYCLES = 400_000; // on an M0+: sub, cmp, and a taken branch of two

export interface ProbeHello {
  readonly status: number;
  readonly arenaBytes: number;
  /** Instructions (QEMU) a tick of its SysTick. */
  readonly perTick: number;
}

/** One decision as the device saw it: what to compare. */
export interface ProbeDecision {
  readonly label: number;
  readonly exit: number;
  /** CRC-32 of logits and state: decisionHash of host-decisions.ts. */
  readonly hash: number;
}

export interface ProbeRun {
  /** Instructions or cycles of all the frames, and of the worst single one. */
  readonly cost: number;
  readonly worst: number;
  readonly decisions: readonly ProbeDecision[];
}

/** The other end of boards/common/probe.c. */
export interface Probe {
  readonly hello: ProbeHello;
  setPoint(payload: Uint8Array): Promise<void>;
  /** (n, channels) frames from `tick` on, at most 128. */
  frames(samples: Int16Array, tick: number): Promise<ProbeRun>;
  /** Instructions or cycles of the C linear at 128 × 128; 0 without C kernels. */
  linearCost(): Promise<number>;
  /** Bytes of stack that were ever used. */
  stackBytes(): Promise<number>;
}

export async function openProbe(board: EmulatedBoard): Promise<Probe> {
  const call = async (op: number, payload: Uint8Array): Promise<DataView> => {
    const message = new Uint8Array(3 + payload.length);
    message.set([op, payload.length & 255, payload.length >> 8]);
    message.set(payload, 3);
    board.write(message);
    return receive(op);
  };
  const receive = async (op: number): Promise<DataView> => {
    const head = await board.read(3);
    if (head[0] !== op)
      throw new FirmwareError(
        "PROBE_ANSWER",
        `the probe answered ${head[0]} to ${op}: firmware and host are not of one version. Build again.`,
      );
    const answer = await board.read(head[1]! | (head[2]! << 8));
    return new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  };
  const first = await receive(OP_HELLO); // sent unasked when the board has started
  const spun = board.takeBusyCycles();
  const status = first.getInt32(0, true);
  if (status !== 0) throw new FirmwareError("PROBE_PREPARE", `the core on the board refused the image with status ${status}.`);
  const ticks = first.getUint32(8, true);
  const hello = {
    status,
    arenaBytes: first.getUint32(4, true),
    perTick: spun === undefined ? SPIN_INSTRUCTIONS / ticks : SPIN_CYCLES / spun.total,
  };
  const channels = first.getUint32(12, true);
  return {
    hello,
    async setPoint(payload) {
      const answer = await call(OP_SET_POINT, payload);
      const code = answer.getInt32(0, true);
      if (code !== 0) throw new FirmwareError("PROBE_SET_POINT", `the core on the board refused the set-point with status ${code}.`);
    },
    async frames(samples, tick) {
      const payload = new Uint8Array(8 + samples.length * 2);
      const view = new DataView(payload.buffer);
      payload[1] = samples.length / channels;
      view.setUint32(4, tick, true);
      for (let i = 0; i < samples.length; i++) view.setInt16(8 + 2 * i, samples[i]!, true);
      const answer = await call(OP_FRAMES, payload);
      const busy = board.takeBusyCycles();
      const decisions = Array.from({ length: answer.getUint32(8, true) }, (_, i): ProbeDecision => {
        const word = (n: number) => answer.getUint32(12 + 12 * i + 4 * n, true);
        return { label: word(0), exit: word(1), hash: word(2) };
      });
      const total = answer.getUint32(0, true) * hello.perTick;
      const worst = answer.getUint32(4, true) * hello.perTick;
      return { cost: Math.round(busy?.total ?? total), worst: Math.round(busy?.longest ?? worst), decisions };
    },
    async linearCost() {
      const answer = await call(OP_LINEAR, new Uint8Array(0));
      const busy = board.takeBusyCycles();
      return (busy?.total ?? answer.getUint32(0, true) * hello.perTick) / 10;
    },
    async stackBytes() {
      return (await call(OP_STACK, new Uint8Array(0))).getUint32(0, true);
    },
  };
}
