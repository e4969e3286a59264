import { join } from "node:path";
import { expect, it } from "vitest";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { dataDir, noData } from "../../support/require.ts";

it("stories260K opens: its shape, a tied head, the first pieces of its tokenizer", (context) => {
  const data = dataDir();
  if (data === undefined) return context.skip(noData);
  const folder = join(data, "stories260k");
  const { checkpoint, tokenizer } = openCheckpoint(join(folder, "stories260K.bin"), { tokenizer: join(folder, "tok512.bin") });
  expect(checkpoint.shape).toMatchObject({
    dim: 64,
    hidden: 172,
    layers: 5,
    heads: 8,
    kvHeads: 4,
    headSize: 8,
    vocab: 512,
    tiedHead: true,
  });
  expect(checkpoint.rows("head", 3, 5)).toEqual(checkpoint.rows("embedding", 3, 5));
  expect(checkpoint.rows({ layer: 4, part: "down" }, 60, 64)).toHaveLength(4 * 172);
  expect(checkpoint.gain("final")).toHaveLength(64);
  expect(tokenizer.kinds.filter((kind) => kind === "byte")).toHaveLength(256);
  expect(Buffer.from(tokenizer.pieces[259]!).toString()).toBe(" t");
  checkpoint.close();
});
