import { createHash } from "node:crypto";
import { crc32 } from "../../core/arithmetic/crc32.ts";
import { instantiateText } from "../../core/session/module.ts";
import { FirmwareError } from "../../core/system/errors.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { textBytes } from "../../core/text/text-bytes.ts";
import { compileFirmware, type MemoryVariant } from "../c/compile.ts";
import { firmwareSizes } from "../mcu/build.ts";
import { readElf } from "../mcu/elf.ts";
import type { Target } from "../mcu/target.ts";
import type { EmulatedBoard } from "./emulators/emulated-board.ts";
import { startBoard } from "./start-board.ts";

const OP_HELLO = 1;
const OP_TEXT = 2;
const OP_STACK = 3;
const SPIN_INSTRUCTIONS = 300_000; // 100,000 times three
const SPIN_CYCLES = 400_000; // on an M0+: sub, cmp, and a taken branch of two

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
    const hello = await receive(board, OP_HELLO); // sent unasked when the board has started
    const spun = board.takeBusyCycles();
    const status = hello.getInt32(0, true);
    if (status !== 0) throw new FirmwareError("PROBE_PREPARE", `the text core on the board refused the image with status ${status}.`);
    const perTick = spun === undefined ? SPIN_INSTRUCTIONS / hello.getUint32(8, true) : SPIN_CYCLES / spun.total;
    const [said, wanted, costs]: [string[], string[], number[]] = [[], [], []];
    for (const text of texts) {
      const answer = await call(board, OP_TEXT, textBytes(text).bytes);
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
      stackBytes: (await call(board, OP_STACK, new Uint8Array(0))).getUint32(0, true),
      arenaBytes: hello.getUint32(4, true),
      ...firmwareSizes(readElf(elf)),
    };
  } finally {
    await board.stop();
  }
}

async function call(board: EmulatedBoard, op: number, payload: Uint8Array): Promise<DataView> {
  const message = new Uint8Array(3 + payload.length);
  message.set([op, payload.length & 255, payload.length >> 8]);
  message.set(payload, 3);
  board.write(message);
  return receive(board, op);
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
