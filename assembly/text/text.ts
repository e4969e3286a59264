// The exports of text.wasm: a text in, an intent out. Zero imports, no heap. A model is known by its arena's address; it keeps nothing from
// one text to the next. What each function means to a host is in assembly/README.md.
import { runsOfText } from "./runs";
import { classifyText } from "./classify";
import { TextModel, neededBytes, prepareText } from "./model";

/** Word 0 … RUNS_WORDS − 1 of what this core runs. */
export function runs(word: i32): u32 {
  return runsOfText(word);
}

/** First free byte of memory, 16-aligned. */
export function memoryBase(): usize {
  return (__heap_base + 15) & ~15;
}

export function prepare(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32): i32 {
  return prepareText(image, imageBytes, arena, arenaBytes);
}

export function arenaUsedBytes(): u32 {
  return neededBytes();
}

/** u8 (TEXT_LIMIT_BYTES): write UTF-8 here. */
export function textPtr(model: usize): usize {
  return changetype<TextModel>(model).text;
}

/** Reads `bytes` bytes of the text. */
export function classify(model: usize, bytes: i32): void {
  classifyText(changetype<TextModel>(model), bytes);
}

/** RESULT_WORDS s32 of the last text. */
export function resultPtr(model: usize): usize {
  return changetype<TextModel>(model).result;
}

/** s16 (classes), Q10, of the last text. */
export function logitsPtr(model: usize): usize {
  return changetype<TextModel>(model).logits;
}

/** u32: the rows of the last text's features. */
export function rowsPtr(model: usize): usize {
  return changetype<TextModel>(model).rows;
}
