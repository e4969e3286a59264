import { expect, it } from "vitest";
import { trainNet } from "../../../host/train/train-net.ts";
import { tinyTraining } from "./support/tiny-training.ts";

it("lowers the loss in a few steps, in float and then in int8, and gives the same bits for the same seed", async () => {
  const train = async () => {
    const losses: number[] = [];
    const net = await trainNet(
      tinyTraining({
        onStep: ({ loss }) => {
          losses.push(loss);
        },
      }),
    );
    return { losses, net };
  };
  const first = await train();
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(first.losses.slice(-4))).toBeLessThan(0.7 * mean(first.losses.slice(0, 4)));
  const again = await train();
  expect(again.net).toEqual(first.net);
});
