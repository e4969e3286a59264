import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { loadTextAgent } from "../../agent/registry.ts";
import { DataError } from "../../core/system/errors.ts";
import type { Output } from "../../core/system/output.ts";
import { loadClinc150 } from "../../data/clinc150.ts";
import { isTextCsv, readTextCsv } from "../../data/csv/text-csv.ts";
import type { TextExample } from "../../data/text-example.ts";
import { readDiaryTest } from "../../eval/text/diary-test.ts";
import type { MemoryVariant } from "../../firmware/c/compile.ts";
import { emulateTexts } from "../../firmware/emulate/emulate-texts.ts";
import type { Target } from "../../firmware/mcu/target.ts";

interface EmulateTextOptions {
  readonly cwd: string;
  readonly target: Target;
  readonly variant: MemoryVariant;
  readonly data?: string; // CLINC150's folder or a CSV text,label; default: the agent's test phrasings
  readonly texts: number;
}

/** `dormouse emulate` of an agent that reads texts: intents, logits and costs on the board, compared with the host's. */
export async function emulateTextAgent(out: Output, name: string, options: EmulateTextOptions): Promise<void> {
  const { cwd, target, variant } = options;
  const agent = await loadTextAgent(name, cwd);
  const all = options.data === undefined ? readDiaryTest(agent) : textsOf(resolve(cwd, options.data));
  const count = Math.min(options.texts, all.length);
  const texts = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!.text);
  out.note(`Building for ${target.id}, then ${count} texts …`);
  const image = new Uint8Array(readFileSync(agent.modelPath));
  const { meanCost, worstCost, firstDifference, ...result } = await emulateTexts({ target, image, texts, variant });
  const { unit, identical, emulator, stackBytes, flashBytes, ramBytes, arenaBytes } = result;
  const { name: agentName } = agent.definition;
  out.say(
    `${agentName} on ${target.id} (${emulator}, ${variant} memory): ${count} texts, ${identical ? "identical to the host's" : "NOT the host's"}`,
  );
  out.say(`${meanCost} ${unit} per text, ${worstCost} the worst; ${stackBytes} B of stack, ${arenaBytes} B of arena`);
  out.say(`flash ${flashBytes} B, of it the image ${image.length} B, read in place; RAM ${ramBytes} B`);
  out.document({
    ...{ board: target.id, agent: agentName, variant, ...result, imageBytes: image.length },
    ...(firstDifference === undefined ? {} : { firstDifference }),
    [`${unit}PerText`]: meanCost,
    [unit === "cycles" ? "worstCycles" : "worstInstructions"]: worstCost,
  });
  if (!identical)
    throw new DataError(
      "EMULATION_DIFFERS",
      `text ${firstDifference} of the emulated board is not the host's: keep the texts and report it.`,
    );
}

function textsOf(path: string): readonly TextExample[] {
  return isTextCsv(path) ? readTextCsv(path) : loadClinc150(path).test;
}
