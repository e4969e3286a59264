// The language core's exports: the whole surface of lm.wasm. A session is known by its arena's address; sessions of one image share it.
// Zero imports, no heap, integers only. What each function means to a host is in assembly/README.md.
import * as L from "./layout";
import { Lm, layOut, reset as resetState } from "./lm/context";
import { checkLmImage } from "./lm/check";
import * as M from "./lm/layout";
import { draw, likeliest } from "./lm/sample";
import { exponentOf, mantissaOf, scaleOf } from "./lm/scale";
import * as snapshots from "./lm/snapshot";
import * as model from "./lm/step";
import { between } from "./words";

/** What `prepare` reads of an image before it knows whether the arena is large enough. */
const STAGING = memory.data(<i32>offsetof<Lm>(), 16);
let needed: u32 = 0;

/** Word 0 … RUNS_WORDS − 1 of what this core runs. */
export function runs(word: i32): u32 {
  if (word == 0) return 1 << L.IMAGE_FORMAT_2;
  return word == 1 ? M.LM_KINDS : 0;
}

/** First free byte of memory, 16-aligned: the host puts images and arenas from here on. */
export function memoryBase(): usize {
  return (__heap_base + 15) & ~15;
}

/** Checks the image and lays a session's arena out, with a ring of `window` positions. Nothing is allocated, nothing fails after it. */
export function prepare(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32, window: i32): i32 {
  needed = 0;
  const staging = changetype<Lm>(STAGING);
  const status = checkLmImage(staging, image, imageBytes);
  if (status != L.STATUS_OK) return status;
  if (!between(window, M.LM_WINDOW_STEP, M.LM_LIMIT_WINDOW) || window % M.LM_WINDOW_STEP != 0) return M.LM_STATUS_BAD_WINDOW;
  if (arena & 15) return L.STATUS_ARENA_MISALIGNED;
  staging.window = window;
  staging.isMasked = 0;
  staging.logitScale = 0;
  layOut(staging, arena, false);
  needed = staging.arenaBytes;
  if (needed > arenaBytes) return L.STATUS_ARENA_TOO_SMALL;
  // Distances modulo 2^32: flash that is mapped below the memory's base is an address near its top.
  if (<u32>(arena - image) < imageBytes || <u32>(image - arena) < needed) return L.STATUS_ARENA_OVERLAPS_IMAGE;
  memory.fill(arena, 0, needed);
  memory.copy(arena, STAGING, offsetof<Lm>());
  layOut(changetype<Lm>(arena), arena, true);
  return L.STATUS_OK;
}

/** What the last prepare needed, also when it was refused for too little. */
export function arenaUsedBytes(): u32 {
  return needed;
}

export function reset(session: usize): void {
  resetState(changetype<Lm>(session));
}

/** u32 (LM_CHUNK): the tokens of the next prefill. */
export function tokensPtr(session: usize): usize {
  return changetype<Lm>(session).tokens;
}

/** Runs the first `count` of the tokens, the last with logits if it is asked for. Returns a STATUS_ code; a bad one has run nothing. */
export function prefill(session: usize, count: i32, hasLogits: bool): i32 {
  const lm = changetype<Lm>(session);
  if (!between(count, 1, M.LM_CHUNK)) return M.LM_STATUS_BAD_TOKEN;
  for (let i = 0; i < count; i++) if (load<u32>(lm.tokens + <usize>(i << 2)) >= <u32>lm.vocabulary) return M.LM_STATUS_BAD_TOKEN;
  for (let i = 0; i < count; i++) model.step(lm, load<u32>(lm.tokens + <usize>(i << 2)), hasLogits && i == count - 1);
  return L.STATUS_OK;
}

/** Runs one token, with logits. Returns a STATUS_ code. */
export function step(session: usize, token: u32): i32 {
  const lm = changetype<Lm>(session);
  if (token >= <u32>lm.vocabulary) return M.LM_STATUS_BAD_TOKEN;
  model.step(lm, token, true);
  return L.STATUS_OK;
}

/** s32 (vocabulary): the last logits, in units of logitMantissa·2^logitExponent. */
export function logitsPtr(session: usize): usize {
  return changetype<Lm>(session).logits;
}

export function logitMantissa(session: usize): i32 {
  return mantissaOf(changetype<Lm>(session).logitScale);
}

export function logitExponent(session: usize): i32 {
  return exponentOf(changetype<Lm>(session).logitScale);
}

/** Bits, token t is bit t & 7 of byte t >> 3: the tokens that may be chosen, once `useMask(session, 1)` says so. */
export function maskPtr(session: usize): usize {
  return changetype<Lm>(session).mask;
}

export function useMask(session: usize, isUsed: i32): void {
  changetype<Lm>(session).isMasked = isUsed;
}

/** The token of the largest logit, or a negative status. */
export function greedy(session: usize): i32 {
  const token = likeliest(changetype<Lm>(session));
  return token < 0 ? M.LM_STATUS_NOTHING_ALLOWED : token;
}

/** Draws a token, or returns a negative status. log2(e)/temperature = mantissa·2^exponent; topK 0 = all; topP in Q16. */
export function sample(session: usize, mantissa: i32, exponent: i32, topK: i32, topP: i32, seed: u32): i32 {
  const isScale = between(mantissa, 1 << 14, 32767) && between(exponent, -M.LM_LIMIT_EXPONENT, M.LM_LIMIT_EXPONENT);
  if (!isScale || topK < 0 || !between(topP, 1, 65536)) return M.LM_STATUS_BAD_SAMPLING;
  const token = draw(changetype<Lm>(session), scaleOf(mantissa, exponent), topK, topP, seed);
  return token < 0 ? M.LM_STATUS_NOTHING_ALLOWED : token;
}

export function statePtr(session: usize): usize {
  return changetype<Lm>(session).state;
}

export function stateBytes(session: usize): u32 {
  return changetype<Lm>(session).stateBytes;
}

export function snapshotBytes(session: usize): u32 {
  return snapshots.lmSnapshotBytes(changetype<Lm>(session));
}

export function snapshot(session: usize, to: usize): void {
  snapshots.writeLmSnapshot(changetype<Lm>(session), to);
}

export function restore(session: usize, from: usize, bytes: u32): i32 {
  return snapshots.readLmSnapshot(changetype<Lm>(session), from, bytes);
}
