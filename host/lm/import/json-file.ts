import { CheckpointError } from "./checkpoint-error.ts";
import { openWeightFile } from "./weight-file.ts";

/** Tokenizers of 128,000 tokens take about 17 MB. */
const jsonMaxBytes = 134_217_728;

/** Reads a JSON file beside the weights. Throws CHECKPOINT_UNREADABLE, or `code` if it is no JSON. */
export function readJsonFile(path: string, code: string): unknown {
  const file = openWeightFile(path);
  try {
    if (file.byteLength > jsonMaxBytes)
      throw new CheckpointError(code, `${path}: ${file.byteLength} bytes; at most ${jsonMaxBytes} expected. Give a JSON file.`);
    const text = Buffer.from(file.read(0, file.byteLength, "JSON")).toString("utf8");
    return parseJson(text, () => new CheckpointError(code, `${path}: no JSON. Copy the file again, whole.`));
  } finally {
    file.close();
  }
}

/** JSON.parse, with an error of its caller's. */
export function parseJson(text: string, error: () => CheckpointError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw error();
  }
}
