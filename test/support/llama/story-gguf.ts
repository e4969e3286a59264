import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { llamaGguf } from "../llama-gguf.ts";

/** stories260K of an unpacked data folder as a GGUF file in a folder of its own. */
export function writeStoryGguf(dataDir: string): { readonly path: string; remove(): void } {
  const stories = join(dataDir, "stories260k");
  const model = openCheckpoint(join(stories, "stories260K.bin"), { tokenizer: join(stories, "tok512.bin") });
  const folder = mkdtempSync(join(tmpdir(), "dormouse-gguf-"));
  const path = join(folder, "stories260K.gguf");
  try {
    writeFileSync(path, llamaGguf(model));
  } finally {
    model.checkpoint.close();
  }
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}
