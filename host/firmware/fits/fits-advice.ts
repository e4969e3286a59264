import type { ModelImage } from "../../core/image/image-types.ts";
import type { Board } from "../../power/board.ts";

/** What is over its limit. */
export interface Excess {
  readonly flashBytes: number; // 0: nothing
  readonly ramBytes: number;
  readonly stackBytes: number;
  /** How many times too long the worst hop takes; at most 1: it is in time. */
  readonly worstHopFactor: number;
  readonly busyFactor: number;
}

/** What would make an agent fit, in the words of its training configuration; the least change first. */
export function adviceFor(image: ModelImage, excess: Excess, board: Board, boards: readonly Board[]): string[] {
  const advice: string[] = [];
  const { ringPatches, contextPatches, dModel, exits, channels, patchFrames } = image;
  if (excess.ramBytes > 0) {
    const patchBytes = channels * patchFrames;
    const contextSaves = (contextPatches - image.windowPatches) * patchBytes;
    const ringBytes = (exits.length - 1) * dModel * 2; // int16, a patch
    const ringTo = Math.max(1, ringPatches - Math.ceil(excess.ramBytes / Math.max(1, ringBytes)));
    if (contextSaves > 0) {
      const to = Math.max(image.windowPatches, contextPatches - Math.ceil(excess.ramBytes / patchBytes));
      advice.push(
        `train with contextPatches ${to} instead of ${contextPatches}: ${(contextPatches - to) * patchBytes} B less RAM, a shorter context for asks`,
      );
    }
    if (exits.length > 1 && ringPatches > 1) {
      advice.push(
        `train with ringPatches ${ringTo} instead of ${ringPatches}: ${(ringPatches - ringTo) * ringBytes} B less RAM, a shorter catch-up`,
      );
    }
    advice.push("train with a smaller dState or dInner: the scan states are 4 B each");
  }
  if (excess.flashBytes > 0)
    advice.push(`train a model that is ${excess.flashBytes} B smaller: fewer blocks, or a smaller dModel or dInner`);
  if (excess.stackBytes > 0) advice.push(`give the stack ${excess.stackBytes} B more: __stack_bytes in the board's memory.ld`);
  if (excess.worstHopFactor > 1) {
    const to = Math.max(1, Math.floor(ringPatches / excess.worstHopFactor));
    advice.push(
      `train with ringPatches ${to} instead of ${ringPatches}, or set the deepest exit lower: a full catch-up takes ${excess.worstHopFactor.toFixed(1)} times too long`,
    );
  }
  if (excess.busyFactor > 1)
    advice.push(
      `decide less often: hopPatches ${Math.ceil(image.hopPatches * excess.busyFactor)} instead of ${image.hopPatches}, or a lower deepest exit`,
    );
  if (advice.length === 0) return advice;
  const isTight = excess.flashBytes > 0 || excess.ramBytes > 0;
  const has = (one: Board): number => (isTight ? (one.memory.ramBytes ?? 0) : (one.clockHz ?? 0));
  const better = boards.filter((one) => one.class === "microcontroller" && one.flashing.length > 0 && has(one) > has(board));
  if (better.length > 0) advice.push(`or try a board with more ${isTight ? "memory" : "speed"}: ${better.map(({ id }) => id).join(", ")}`);
  return advice;
}
