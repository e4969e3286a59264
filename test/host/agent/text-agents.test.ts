import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineTextAgent, type TextAgentInput } from "../../../host/agent/define-text-agent.ts";
import { loadAgent, loadTextAgent, readsText } from "../../../host/agent/registry.ts";
import { cli } from "../cli/fake-io.ts";
import { tempFolder } from "../cli/temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const minimal: TextAgentInput = { name: "quiz", model: "model.dmm", text: { language: "en" }, local: ["yes"] };

describe("defineTextAgent", () => {
  it("fills in what is left out: no text leaves the device, nothing is shared", () => {
    expect(defineTextAgent(minimal)).toEqual({
      ...minimal,
      description: "",
      answeredAs: {},
      asks: { text: false, share: [], deadlineSeconds: 30 },
    });
  });

  it.each([
    ["another language", { ...minimal, text: { language: "de" } }, /text\.language/],
    ["no local intent", { ...minimal, local: [] }, /local/],
    ["a fact that is not shared", { ...minimal, asks: { share: ["heart"] } }, /asks\.share/],
    ["a sensor", { ...minimal, sensor: { kind: "imu" } }, /sensor/],
  ])("refuses %s, and names it", (_, input, message) => {
    expect(() => defineTextAgent(input as TextAgentInput)).toThrow(message);
  });
});

describe("a text agent", () => {
  it("is loaded as one, bundled or by its path, and as no other", async () => {
    const source = `import { defineTextAgent } from "dormouse-edge";\nexport default defineTextAgent(${JSON.stringify(minimal)});\n`;
    writeFileSync(join(folder.path, "agent.ts"), source);
    expect(await loadTextAgent(folder.path)).toMatchObject({ isBundled: false, definition: { name: "quiz" } });
    expect(await loadTextAgent("assistant")).toMatchObject({ isBundled: true, definition: { name: "assistant" } });
    expect([await readsText("assistant"), await readsText("activity")]).toEqual([true, false]);
    await expect(loadAgent("assistant")).rejects.toMatchObject({ code: "AGENT_READS_TEXT" });
    await expect(loadTextAgent("activity")).rejects.toMatchObject({ code: "AGENT_READS_SENSOR" });
  });

  it.each([
    ["fits", ["fits", "assistant", "--board", "pico"]],
    ["build", ["build", "assistant", "--board", "pico", "--out", "unused"]],
    ["simulate", ["simulate", "assistant", "--board", "pico"]],
    ["demo", ["demo", "--agent", "assistant"]],
  ])("is refused by %s, which says what to use", async (_, args) => {
    const { code, stdout } = await cli([...args, "--json"]);
    expect(code).not.toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "AGENT_READS_TEXT" } });
  });

  it.each([
    ["eval", ["eval", "assistant", "--data", ".", "--adapt"]],
    ["emulate", ["emulate", "assistant", "--board", "pico", "--windows", "3"]],
    ["emulate of a sensor agent", ["emulate", "activity", "--board", "pico", "--texts", "3"]],
  ])("%s refuses an option of the other kind of agent", async (_, args) => {
    const { code, stdout } = await cli([...args, "--json"]);
    expect(code).not.toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "OPTION_UNUSED" } });
  });

  it("train refuses options of nets, data that is not there, and a folder without CLINC150", async () => {
    const codeOf = async (...args: string[]): Promise<string> =>
      (JSON.parse((await cli(["train", "assistant", "--json", ...args])).stdout) as { error: { code: string } }).error.code;
    expect(await codeOf("--data", folder.path, "--float")).toBe("TRAIN_OPTIONS");
    expect(await codeOf("--data", join(folder.path, "none"))).toBe("TEXT_NONE");
    expect(await codeOf("--data", folder.path)).toBe("CLINC_MISSING");
  });

  it("is listed by agents and shown by inspect", async () => {
    const agents = JSON.parse((await cli(["agents", "--json"])).stdout) as { agents: { name: string; problem?: string }[] };
    expect(agents.agents.find(({ name }) => name === "assistant")).toMatchObject({ teachers: 0, imageBytes: expect.any(Number) });
    const image = join(import.meta.dirname, "../../../agents/assistant/model.dmm");
    expect(JSON.parse((await cli(["inspect", image, "--json"])).stdout)).toMatchObject({
      kind: "text-image",
      name: "assistant",
      format: 2,
    });
    expect((await cli(["inspect", image])).stdout).toContain("a text model");
  });
});

it("a CSV of texts trains an agent that eval scores; a bad line is named", async () => {
  const rows = ["sit", "fall", "walk"].flatMap((label) =>
    Array.from({ length: 15 }, (_, i) => `"when did I ${label}, number ${i}",${label}`),
  );
  const path = join(folder.path, "texts.csv");
  writeFileSync(path, `text,label\n${rows.join("\n")}\n`);
  const out = join(folder.path, "runs");
  const trained = await cli(["train", "--name", "quiz", "--data", path, "--out", out, "--json"]);
  expect(trained.code, trained.stdout).toBe(0);
  const scored = await cli(["eval", join(out, "seed-1"), "--data", path, "--json"]);
  expect(JSON.parse(scored.stdout)).toMatchObject({ agent: "quiz", texts: 45, accuracy: 1 });

  writeFileSync(path, "text,label\nhello,yes,no\n");
  const bad = await cli(["train", "--name", "quiz", "--data", path, "--json"]);
  expect(JSON.parse(bad.stdout)).toMatchObject({ error: { code: "CSV_LINE" } });
});
