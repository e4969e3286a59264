import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadAgent } from "../../../host/agent/registry.ts";
import { openProvider } from "../../../host/cloud/open-provider.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { fakeIo } from "../cli/fake-io.ts";
import { tempFolder, writeAgent } from "../cli/temp-agent.ts";
import { type ModelServer, startModelServer } from "./openai/fake-server.ts";

let folder: ReturnType<typeof tempFolder>;
let server: ModelServer;
beforeEach(async () => {
  folder = tempFolder();
  server = await startModelServer();
});
afterEach(async () => {
  folder.remove();
  await server.close();
});

it("names the model's own channels and units to a language model, also when there are six of them", async () => {
  const agent = await loadAgent(writeAgent(folder.path));
  const image = readImage(new Uint8Array(readFileSync(agent.modelPath)));
  const channels = ["co2", "co", "no2", "voc", "humidity", "temperature"].map((name) => ({ name, unit: "ppm", countsPerUnit: 8 }));
  writeFileSync(agent.modelPath, writeImage({ ...image, manifest: { ...image.manifest, channels, orientation: "by the ceiling" } }));
  const options = {
    provider: ["openai"],
    baseUrl: server.baseUrl,
    model: "tiny",
    concurrency: 1,
    engine: "scalar",
    maxTokens: 256,
  } as const;
  const { provider } = await openProvider(agent, options, fakeIo().io);
  const ask = { id: "00".repeat(16), node: "n", agent: "a", imageHash: "", tick: 0, deadlineAtMillis: Date.now() + 30_000 };
  const frames = { patchBytes: 24, windowPatches: 1, patches: new Int8Array(24) };
  await provider.answer([{ ...ask, ...frames, labels: image.manifest.labels, local: { label: 0, confidenceQ15: 1, exit: 0 } }]);
  const [system, user] = server.heard[0]!.body.messages.map(({ content }) => content);
  expect(system).toContain("co2 co no2 voc humidity temperature in ppm");
  expect(system).toContain("by the ceiling");
  expect(user).toContain("temperature: no change");
  expect(user).not.toContain("gx");
});
