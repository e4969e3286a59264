import { join } from "node:path";
import { expect, it } from "vitest";
import { createFloatForward } from "../../../host/lm/float-forward.ts";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { createTokenizer } from "../../../host/lm/tokenizer.ts";
import { dataDir, noData } from "../../support/require.ts";

const golden =
  "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.";

it("the float engine, greedily, writes llama2.c's golden text", (context) => {
  const data = dataDir();
  if (data === undefined) return context.skip(noData);
  const folder = join(data, "stories260k");
  const { checkpoint, tokenizer: tokenizerData } = openCheckpoint(join(folder, "stories260K.bin"), {
    tokenizer: join(folder, "tok512.bin"),
  });
  const tokenizer = createTokenizer(tokenizerData);
  const forward = createFloatForward(checkpoint);
  const tokens = tokenizer.encode("Once upon a time");
  let logits = new Float32Array();
  for (const token of tokens) logits = forward.step(token) as Float32Array<ArrayBuffer>;
  while (tokens.length < 200) {
    const token = logits.indexOf(Math.max(...logits));
    tokens.push(token);
    logits = forward.step(token) as Float32Array<ArrayBuffer>;
  }
  expect(tokenizer.decode(tokens).slice(0, golden.length)).toBe(golden);
  checkpoint.close();
});
