import { FirmwareError } from "../../core/system/errors.ts";
import type { EmulatedBoard } from "./emulators/emulated-board.ts";
import { openProbeLink } from "./probe-link.ts";

const OP_SET_POINT = 2;
const OP_FRAMES = 3;
const OP_STACK = 4;
const OP_LINEAR = 5;

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
  const { hello: first, perTick, call } = await openProbeLink(board);
  const hello = { status: first.getInt32(0, true), arenaBytes: first.getUint32(4, true), perTick };
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
      const answer = await call(OP_LINEAR);
      const busy = board.takeBusyCycles();
      return (busy?.total ?? answer.getUint32(0, true) * hello.perTick) / 10;
    },
    async stackBytes() {
      return (await call(OP_STACK)).getUint32(0, true);
    },
  };
}
