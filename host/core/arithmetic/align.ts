import { IMAGE_ALIGN } from "../../../assembly/layout.ts";

/** Rounds up to the alignment of images, their tensors and arenas. */
export function align16(bytes: number): number {
  return Math.ceil(bytes / IMAGE_ALIGN) * IMAGE_ALIGN;
}
