import { jit, type numpy as np, valueAndGrad } from "@jax-js/jax";
import { expect, it } from "vitest";
import { netInput, startJax, type TracedInput, upload, uploadParameters, uploadSequences } from "../../../host/train/device-arrays.ts";
import type { Arrays } from "../../../host/train/layers.ts";
import { exitLoss } from "../../../host/train/loss.ts";
import type { NetConfig } from "../../../host/train/net-config.ts";
import fixture from "./gradient-fixture.json" with { type: "json" };

const config = fixture.config as NetConfig;

it("gives the gradients of the plain float64 forward, over two chunks of the scan and the attention", async () => {
  await startJax();
  const parameters = Object.fromEntries(Object.entries(fixture.parameters).map(([name, values]) => [name, Float32Array.from(values)]));
  const target = new Float32Array(fixture.seqLen * config.nClasses);
  target[(fixture.seqLen - 1) * config.nClasses + fixture.label] = 1;
  const gradient = jit(
    valueAndGrad((p: Arrays, y: np.Array, ...input: TracedInput) =>
      exitLoss(config, fixture.exitWeights, p, netInput(input), y, { scales: undefined }),
    ),
  );
  const [loss, gradients] = gradient(
    uploadParameters(config, parameters),
    upload(target, [1, fixture.seqLen, config.nClasses]),
    ...uploadSequences(config, Float32Array.from(fixture.patches), fixture.seqLen),
  ) as [np.Array, Arrays];
  expect(Math.abs((loss.dataSync() as Float32Array)[0]! - fixture.loss)).toBeLessThan(1e-5);
  for (const [name, expected] of Object.entries(fixture.gradients as Record<string, number[]>)) {
    const actual = gradients[name]!.dataSync() as Float32Array;
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
    expect(worst, name).toBeLessThan(1e-5);
  }
});
