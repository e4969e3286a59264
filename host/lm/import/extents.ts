import { CheckpointError } from "./checkpoint-error.ts";

/** Where a tensor's bytes lie in the file. */
export type Extent = { readonly name: string; readonly from: number; readonly to: number };

/** Throws CHECKPOINT_SHORT for a tensor that ends after the file, and CHECKPOINT_OVERLAP for two that share bytes. */
export function checkExtents(path: string, byteLength: number, extents: readonly Extent[]): void {
  const sorted = [...extents].sort((a, b) => a.from - b.from || a.to - b.to);
  for (const [i, { name, from, to }] of sorted.entries()) {
    if (to > byteLength)
      throw new CheckpointError(
        "CHECKPOINT_SHORT",
        `${path}: tensor ${name} lies at ${from}…${to}, but the file has ${byteLength} bytes. Copy the file again, whole.`,
      );
    const before = sorted[i - 1];
    if (before !== undefined && before.to > from)
      throw new CheckpointError(
        "CHECKPOINT_OVERLAP",
        `${path}: tensors ${before.name} (${before.from}…${before.to}) and ${name} (${from}…${to}) share bytes. Export it again.`,
      );
  }
}
