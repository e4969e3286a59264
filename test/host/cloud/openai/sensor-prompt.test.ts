import { describe, expect, it } from "vitest";
import { promptOf } from "../../../../host/cloud/openai/prompt.ts";
import { sensorFacts } from "../../../../host/cloud/openai/sensor-facts.ts";
import { query, sensor } from "./sensor-query.ts";

describe("what a language model reads", () => {
  it("has facts computed of the window, the device's guess and the labels, and no channel statistics", () => {
    const [system, user] = promptOf(query(), sensor);
    expect(system!.content).toContain("JSON");
    expect(user!.content).toContain('"still", "walk", "run"');
    expect(user!.content).toContain('"walk" with probability 0.500');
    expect(user!.content).toContain("Computed of the last 0.16 s of the last 0.64 s:");
    expect(user!.content).toMatch(/^ax, ay: .*; it changes .* before; its resting value is as before\.$/m);
    expect(user!.content).not.toMatch(/mean|sd |min |max /);
  });
});

describe("facts of a window", () => {
  const rateHz = 50;
  const swing = (hz: number, size: number, rest: number) => (i: number) => [
    Math.round(rest + size * Math.sin((2 * Math.PI * hz * i) / rateHz)),
  ];
  const frames = (count: number, of: (i: number) => number[]) => Array.from({ length: count }, (_, i) => of(i));
  const factsOf = (before: number[][], window: number[][]) =>
    sensorFacts([...before, ...window], window.length, { channels: ["a"], rateHz })[0];

  it.each([
    [
      "a rhythm that goes on",
      factsOf(frames(200, swing(2, 40, 0)), frames(100, swing(2, 40, 0))),
      "a: change that repeats 2.0 times per second; it changes about as much as before; its resting value is as before.",
    ],
    [
      "a rhythm after rest, elsewhere",
      factsOf(
        frames(200, () => [0]),
        frames(100, swing(1, 20, 90)),
      ),
      "a: change that repeats 1.0 times per second; it did not change before; its resting value has shifted.",
    ],
    [
      "rest after a rhythm",
      factsOf(
        frames(200, swing(2, 40, 0)),
        frames(100, () => [0]),
      ),
      "a: no change; it changes less than before; its resting value is as before.",
    ],
    [
      "one push",
      factsOf(
        [],
        frames(100, (i) => [i === 50 ? 90 : 0]),
      ),
      "a: change without a rhythm.",
    ],
  ])("say %s", (_, fact, expected) => expect(fact).toBe(expected));
});
