import { LM_CHUNK } from "../../../assembly/lm/layout.ts";
import { align16 } from "../../core/arithmetic/align.ts";
import { crc32 } from "../../core/arithmetic/crc32.ts";
import { FirmwareError } from "../../core/system/errors.ts";
import type { LanguageModel } from "../../lm/language-model.ts";
import type { LanguageSession } from "../../lm/language-session.ts";
import { compileFirmware, type MemoryVariant } from "../c/compile.ts";
import { firmwareSizes } from "../mcu/build.ts";
import { findModule, type KernelChoice } from "../mcu/build-options.ts";
import { readElf } from "../mcu/elf.ts";
import type { Target } from "../mcu/target.ts";
import { openProbeLink } from "./probe-link.ts";
import { startBoard } from "./start-board.ts";

const OP_PREFILL = 2;
const OP_TOKEN = 3;
const OP_STACK = 4;

export interface EmulateLanguageOptions {
  readonly target: Target;
  readonly image: Uint8Array;
  /** The same image, in the scalar build. */
  readonly model: LanguageModel;
  /** Tokens to start from, at least one. */
  readonly prompt: readonly number[];
  /** Most probable tokens to run after it. */
  readonly tokens: number;
  /** Positions that the last of them sees. The host's own continuation of the prompt fills what prompt and tokens leave. */
  readonly context: number;
  readonly window: number;
  readonly variant: MemoryVariant;
  readonly kernels: KernelChoice;
  readonly onToken?: (done: number) => void;
}

export interface LanguageEmulation {
  readonly emulator: string;
  readonly unit: "instructions" | "cycles";
  /** What the board started from, and what it generated. */
  readonly start: readonly number[];
  readonly generated: readonly number[];
  /** Whether every token and all its logits were the host's. */
  readonly identical: boolean;
  /** Index of the first token that differs. */
  readonly firstDifference: number | undefined;
  /** Cost of the last token, which sees `context` positions, and of the mean one. */
  readonly lastCost: number;
  readonly meanCost: number;
  readonly stackBytes: number;
  readonly arenaBytes: number;
  /** Code, constants and the image, which is read where it lies. */
  readonly flashBytes: number;
  /** Data, linear memory with the arena, receive ring, stack. */
  readonly ramBytes: number;
}

/** Generates greedily on an emulated board and here, and compares every token and its logits. */
export async function emulateLanguage(options: EmulateLanguageOptions): Promise<LanguageEmulation> {
  const { target, image, model, tokens, window, variant, kernels } = options;
  const session = model.createSession({ window });
  try {
    const elf = compileFirmware({
      target,
      module: findModule("lm", kernels),
      sources: ["lm-probe.c"],
      variant,
      model: image,
      memoryBytes: align16(session.peakBytes),
      defines: { DORMOUSE_WINDOW: window, DORMOUSE_VOCABULARY: model.image.vocabulary },
    });
    const start = startText(session, options);
    const board = startBoard(target, elf);
    try {
      const { hello, perTick, call } = await openProbeLink(board);
      for (let at = 0; at < start.length; at += LM_CHUNK) {
        const answer = await call(OP_PREFILL, new Uint8Array(Uint32Array.from(start.slice(at, at + LM_CHUNK)).buffer));
        const status = answer.getInt32(0, true);
        if (status !== 0) throw new FirmwareError("PROBE_PREFILL", `the core on the board refused the prompt with status ${status}.`);
      }
      board.takeBusyCycles();
      const [generated, costs]: [number[], number[]] = [[], []];
      let firstDifference: number | undefined;
      for (let i = 0; i < tokens; i++) {
        const answer = await call(OP_TOKEN);
        generated.push(answer.getInt32(0, true));
        costs.push(board.takeBusyCycles()?.total ?? answer.getUint32(8, true) * perTick);
        const wanted = session.sample();
        session.step(wanted);
        if (wanted !== generated[i] || checksum(session) !== answer.getUint32(4, true)) firstDifference ??= i;
        options.onToken?.(i + 1);
      }
      return {
        emulator: board.emulator,
        unit: board.unit,
        start,
        generated,
        identical: firstDifference === undefined,
        firstDifference,
        lastCost: Math.round(costs.at(-1) ?? 0),
        meanCost: Math.round(costs.reduce((sum, cost) => sum + cost, 0) / tokens),
        stackBytes: (await call(OP_STACK)).getUint32(0, true),
        arenaBytes: hello.getUint32(4, true),
        ...firmwareSizes(readElf(elf)),
      };
    } finally {
      await board.stop();
    }
  } finally {
    session.close();
  }
}

/** The prompt, continued by the host up to where the board takes over. Both sessions have then seen the same tokens. */
function startText(session: LanguageSession, { prompt, tokens, context }: EmulateLanguageOptions): number[] {
  const start = [...prompt];
  session.prefill(start);
  while (start.length + tokens < context) {
    start.push(session.sample());
    session.step(start.at(-1)!);
  }
  return start;
}

function checksum({ logits }: LanguageSession): number {
  return crc32(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
}
