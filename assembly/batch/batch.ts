// The exports of batch.wasm: LANES sequences of one image in one pass, for cloud workers. SIMD alone; microcontrollers never carry it.
// The same bits as core.wasm gives each sequence by itself. Zero imports, no heap. A batch is known by its arena's address.
import { runsWord } from "../runs";
import { Batch, LANES } from "./lanes";
import { neededBytes, prepareBatch } from "./prepare";
import { runBatch } from "./run";

/** Word 0 … RUNS_WORDS − 1 of what this core runs. */
export function runs(word: i32): u32 {
  return runsWord(word);
}

export function memoryBase(): usize {
  return (__heap_base + 15) & ~15;
}

/** Sequences in a batch. */
export function lanes(): i32 {
  return LANES;
}

/** Validates the image and lays out the arena for sequences of at most `maxPatches` patches. Returns a STATUS_ code. */
export function prepare(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32, maxPatches: i32): i32 {
  return prepareBatch(image, imageBytes, arena, arenaBytes, maxPatches);
}

export function arenaUsedBytes(): u32 {
  return neededBytes();
}

/** s32 (LANES): write here how many patches each sequence has, at most maxPatches; 0 leaves a lane empty. */
export function lengthsPtr(batch: usize): usize {
  return changetype<Batch>(batch).lengths;
}

/** s8 (LANES, maxPatches, patchBytes): write the sequences here. */
export function patchesPtr(batch: usize): usize {
  return changetype<Batch>(batch).patches;
}

/** s16 (LANES, classes rounded up to 8): the last exit's logits at each sequence's end, after `run`. */
export function logitsPtr(batch: usize): usize {
  return changetype<Batch>(batch).logits;
}

/** Runs every sequence from a reset state to its end. */
export function run(batch: usize): void {
  runBatch(changetype<Batch>(batch));
}
