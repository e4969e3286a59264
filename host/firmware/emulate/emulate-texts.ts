import { createHash } from "node:crypto";
import { crc32 } from "../../core/arithmetic/crc32.ts";
import { instantiateText } from "../../core/session/module.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { textBytes } from "../../core/text/text-bytes.ts";
import { compileFirmware, type MemoryVariant } from "../c/compile.ts";
import { firmwareSizes } from "../mcu/build.ts";
import { readElf } from "../mcu/elf.ts";
import type { Target } from "../mcu/target.ts";
import { openProbeLink } from "./probe-link.ts";
import { startBoard } from "./start-board.ts";

const OP_TEXT = 2;
const OP_STACK = 3;

export interface EmulateTextsOptions {
  readonly target: Target;
  readonly image: Uint8Array;
  readonly texts: readonly string[];
  readonly variant: MemoryVariant;
}

export interface TextEmulation {
  readonly emulator: string;
  readonly unit: "instructions" | "cycles";
  readonly texts: number;
  /** Whether label, probability, features and logits were the host's for every text. */
  readonly identical: boolean;
  /** Index of the first text that differs. */
  readonly firstDifference: number | undefined;
  /** SHA-256 of the device's results. */
  readonly hash: string;
  readonly meanCost: number;
  readonly worstCost: number;
  readonly stackBytes: number;
  readonly arenaBytes: number;
  /** Code, constants and the image, which is read where it lies. */
  readonly flashBytes: number;
  readonly ramBytes: number;
}

/** Classifies texts on an emulated board and here, and compares every result. */
export async function emulateTexts({ target, image, texts, variant }: EmulateTextsOptions): Promise<TextEmulation> {
  const model = IntentModel.load(image, "scalar");
  const memoryBytes = instantiateText("scalar").memoryBase() + model.arenaBytes;
  const elf = compileFirmware({ target, module: "text", sources: ["text-probe.c"], variant, model: image, memoryBytes });
  const board = startBoard(target, elf);
  try {
    const { hello, perTick, call } = await openProbeLink(board);
    const [said, wanted, costs]: [string[], string[], number[]] = [[], [], []];
    for (const text of texts) {
      const answer = await call(OP_TEXT, textBytes(text).bytes);
      const word = (n: number): number => answer.getUint32(4 * n, true);
      said.push([word(0), word(1), word(2), word(5)].join(" "));
      costs.push(board.takeBusyCycles()?.total ?? word(4) * perTick);
      const { intent, probability, features } = model.classify(text);
      const logits = model.logits();
      const hash = crc32(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
      wanted.push([model.manifest.labels.indexOf(intent), probability * 32768, features, hash].join(" "));
    }
    const first = wanted.findIndex((one, i) => one !== said[i]);
    return {
      emulator: board.emulator,
      unit: board.unit,
      texts: said.length,
      identical: first < 0,
      firstDifference: first < 0 ? undefined : first,
      hash: createHash("sha256").update(said.join("\n")).digest("hex"),
      meanCost: Math.round(costs.reduce((sum, cost) => sum + cost, 0) / Math.max(1, costs.length)),
      worstCost: Math.round(Math.max(0, ...costs)),
      stackBytes: (await call(OP_STACK)).getUint32(0, true),
      arenaBytes: hello.getUint32(4, true),
      ...firmwareSizes(readElf(elf)),
    };
  } finally {
    await board.stop();
  }
}
