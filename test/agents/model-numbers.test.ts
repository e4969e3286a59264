import { expect, it } from "vitest";
import { bundledAgents, loadAgent, openAgentModel } from "../../host/agent/registry.ts";

/** Of each bundled agent the number of its model and the model's hash: both change together, so that a package with a new model is newer. */
const SHIPPED: Readonly<Record<string, readonly [number: number, hash: string]>> = {
  activity: [9, "fcd84f88"],
  fall: [7, "18ecc135"],
};

it.each(Object.entries(SHIPPED))("%s: a model with other bits has another number", async (name, [number, hash]) => {
  const agent = await loadAgent(name);
  const { imageHash } = await openAgentModel(agent);
  expect({ number: agent.definition.modelNumber, hash: imageHash.slice(0, 8) }).toEqual({ number, hash });
});

it("every bundled agent on sensors is listed here", () => {
  expect(bundledAgents().filter((name) => name !== "assistant")).toEqual(Object.keys(SHIPPED));
});
