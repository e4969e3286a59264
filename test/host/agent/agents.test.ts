import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AgentInput, defineAgent } from "../../../host/agent/define-agent.ts";
import { openNodeConfig } from "../../../host/agent/node-config.ts";
import { bundledAgents, loadAgent, openAgentModel } from "../../../host/agent/registry.ts";
import { tempFolder, writeAgent } from "../cli/temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const minimal: AgentInput = { name: "gait", model: "model.dmm", sensor: { kind: "imu" } };

describe("defineAgent", () => {
  it("fills in what is left out", () => {
    expect(defineAgent(minimal)).toEqual({
      name: "gait",
      description: "",
      model: "model.dmm",
      teacher: [],
      sensor: { kind: "imu", rateHz: 50, channels: 6, orientation: "" },
      events: { stableDecisions: 1, reportSeconds: 3600 },
      diary: false,
      asks: { intervalHops: 1, deadlineSeconds: 30, holdSeconds: 10 },
    });
  });

  it.each([
    ["a name that is no topic level", { ...minimal, name: "Gait/1" }, /name: expected lower-case/],
    ["an unknown field", { ...minimal, colour: "red" }, /colour/],
    ["a wrong nested value", { ...minimal, asks: { deadlineSeconds: -1 } }, /asks\.deadlineSeconds/],
    ["a missing model", { name: "gait", sensor: { kind: "imu" } }, /model/],
  ])("refuses %s, and names it", (_, input, message) => {
    expect(() => defineAgent(input as AgentInput)).toThrow(message);
  });
});

describe("the registry", () => {
  it("finds the agents that come with the package", async () => {
    expect(bundledAgents()).toContain("activity");
    const agent = await loadAgent("activity");
    expect(agent).toMatchObject({ isBundled: true, definition: { name: "activity", sensor: { rateHz: 50, channels: 6 } } });
    expect(agent.modelPath).toMatch(/agents\/activity\/model\.dmm$/);
  });

  it("compiles an agent.ts of the user's, given its folder or its path", async () => {
    writeAgent(folder.path);
    for (const path of [folder.path, join(folder.path, "agent.ts")]) {
      const agent = await loadAgent(path);
      expect(agent).toMatchObject({ isBundled: false, folder: folder.path, definition: { name: "trembler" } });
    }
    expect((await openAgentModel(await loadAgent(folder.path))).manifest.name).toBe("random-7");
  });

  it.each([
    ["that does not compile", "export default defineAgent({", /does not compile: agent\.ts:1:/],
    [
      "that imports what the package does not give",
      'import { fly } from "dormouse-edge"; export default fly;',
      /does not compile: .*"fly"/,
    ],
    ["without a default export", "export const agent = 1;", /has no default export/],
    ["that throws", "throw new TypeError('mine');", /fails when it is loaded: TypeError: mine/],
    ["whose export is no agent", "export default { name: 'x' };", /does not export a valid agent: .*model/],
  ])("refuses a file %s, and says so", async (_, source, message) => {
    writeAgent(folder.path, source);
    await expect(loadAgent(folder.path)).rejects.toThrow(message);
  });

  it("passes on what is wrong with a definition", async () => {
    writeAgent(
      folder.path,
      'import { defineAgent } from "dormouse-edge"; export default defineAgent({ name: "X", model: "m", sensor: { kind: "imu" } });',
    );
    await expect(loadAgent(folder.path)).rejects.toThrow(/name: expected lower-case/);
  });

  it("refuses a model that does not fit the declared sensor", async () => {
    const source = `import { defineAgent } from "dormouse-edge";
export default defineAgent({ name: "fast", model: "model.dmm", sensor: { kind: "imu", rateHz: 100 } });`;
    const agent = await loadAgent(writeAgent(folder.path, source));
    await expect(openAgentModel(agent)).rejects.toThrow(/declares 6 channels at 100 Hz, its model takes 6 at 50 Hz/);
  });

  it("names the missing model", async () => {
    const agent = await loadAgent(writeAgent(folder.path));
    await expect(openAgentModel({ ...agent, modelPath: join(folder.path, "no.dmm") })).rejects.toThrow(/no\.dmm/);
  });
});

describe("the node's identity", () => {
  const random = (count: number) => new Uint8Array(count).fill(0xab);

  it("is made once and then kept", () => {
    const first = openNodeConfig({ cwd: folder.path, random });
    expect(first).toMatchObject({ isNew: true, config: { node: "dormouse-abababab", site: "home" } });
    expect(openNodeConfig({ cwd: folder.path })).toMatchObject({ isNew: false, config: first.config });
    expect(existsSync(join(folder.path, "dormouse.json"))).toBe(true);
  });

  it("is the one of whoever was first, where two start at once", () => {
    const path = join(folder.path, "dormouse.json");
    const late = (count: number) => {
      writeFileSync(path, '{"node":"first"}'); // between the look and the writing
      return random(count);
    };
    expect(openNodeConfig({ cwd: folder.path, random: late })).toMatchObject({ isNew: false, config: { node: "first" } });
    expect(readFileSync(path, "utf8")).toBe('{"node":"first"}');
    expect(readdirSync(folder.path).filter((name) => name.includes(".part"))).toEqual([]);
  });

  it("takes what the user wrote", () => {
    writeFileSync(join(folder.path, "n.json"), JSON.stringify({ node: "wrist-1", site: "ward-3", broker: "mqtt://b:1883" }));
    expect(openNodeConfig({ cwd: folder.path, path: "n.json" }).config).toEqual({
      node: "wrist-1",
      site: "ward-3",
      broker: "mqtt://b:1883",
    });
  });

  it.each([
    ["bad JSON", "{ node: 1 }", /is not valid JSON at position 2( \(line 1 column 3\))?\. Mend it, or remove it/],
    ["an unknown key", '{"node":"a","nodeId":"b"}', /"nodeId".*node, site, broker, commandKey and commandFloor/],
    ["a node that is no topic level", '{"node":"a/b"}', /node: expected a name without/],
    ["no node", "{}", /node/],
  ])("refuses %s and leaves the file as it is", (_, text, message) => {
    const path = join(folder.path, "dormouse.json");
    writeFileSync(path, text);
    expect(() => openNodeConfig({ cwd: folder.path })).toThrow(message);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("appears whole or not at all", () => {
    symlinkSync("nowhere", join(folder.path, "dormouse.json")); // its name is taken: written and synced, it gets none
    expect(() => openNodeConfig({ cwd: folder.path, random })).toThrow(/--config FILE/);
    expect(readdirSync(folder.path)).toEqual(["dormouse.json"]);
  });

  it("says where to write instead when it cannot", () => {
    expect(() => openNodeConfig({ path: join(folder.path, "none", "dormouse.json"), random })).toThrow(/--config FILE/);
  });
});
