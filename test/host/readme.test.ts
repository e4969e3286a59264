import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundledAgents, loadAgent, readsText } from "../../host/agent/registry.ts";
import { Model } from "../../host/core/session/model.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { IntentModel } from "../../host/core/text/intent-model.ts";
import { gatewayConfigSchema } from "../../host/gateway/gateway-config.ts";
import { loadBoards } from "../../host/power/board.ts";
import { fencedBlocks, linksOf, namedFiles, readmePaths, readText } from "../support/readme.ts";

const readme = readText("README.md");
const agents = readText("agents/README.md");
const rowOf = (name: string): string => agents.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? `no row for ${name}`;

describe("README.md", () => {
  it("has at most 130 lines and 1,300 words", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(130);
    expect(readme.trim().split(/\s+/).length).toBeLessThanOrEqual(1300);
  });

  it("shows the two commands before anything else", () => {
    expect(fencedBlocks(readme)[0]!.text).toBe("npm ci && npm start\nnpm ci && npm test\n");
  });

  it("gives the same figures of asking in its first screen and in its table", () => {
    const [firstScreen, table] = [readme.slice(0, readme.indexOf("## ")), readme.slice(readme.indexOf("## Results"))];
    for (const figure of ["98.26 %", "98.10 %", "97.06 %"]) {
      expect(firstScreen).toContain(figure);
      expect(table).toContain(figure);
    }
  });

  it("has code that runs as it stands", () => {
    const code = fencedBlocks(readme).find(({ language }) => language === "js")!.text;
    const end = "\nconsole.log(JSON.stringify({ labels: model.manifest.labels.length, decided: decision !== undefined }));";
    const text = execFileSync(process.execPath, ["--input-type=module", "-e", code + end], { cwd: packageRoot(), encoding: "utf8" });
    expect(JSON.parse(text)).toMatchObject({ labels: 7 });
  });
});

describe("every README, card and notebook", () => {
  it.each(readmePaths())("%s: its links lead to files", (path) => {
    expect(linksOf(path).filter(({ isThere }) => !isThere)).toEqual([]);
  });

  it.each(readmePaths().filter((path) => !path.endsWith("NOTEBOOK.md")))("%s: the files that it names exist", (path) => {
    expect(namedFiles(path).filter(({ isThere }) => !isThere)).toEqual([]);
  });

  it.each(readmePaths())("%s: no placeholder is left", (path) => {
    if (path !== "boards/portable/README.md") expect(readText(path)).not.toMatch(/@@|TODO|FIXME/); // that one is a template
  });
});

describe("agents/README.md", () => {
  it("gives the head of the activity model's arena", async () => {
    const model = await Model.open(join(packageRoot(), "agents/activity/model.dmm"), { engine: "scalar" });
    const tail = model.createSession().snapshot().length - 32;
    expect(rowOf("head: pointers, set-point, decision, logits, scratch that every block shares")).toContain(
      (model.arenaBytes - tail).toLocaleString("en"),
    );
  });

  it("gives every agent's sizes", async () => {
    for (const name of bundledAgents()) {
      const path = join(packageRoot(), `agents/${name}/model.dmm`);
      const model = await ((await readsText(name)) ? IntentModel.open(path) : Model.open(path, { engine: "scalar" }));
      const sizes = [model.manifest.parameters, model.imageBytes, model.arenaBytes].map((n) => n.toLocaleString("en"));
      for (const size of sizes) expect(rowOf(name)).toContain(size);
    }
  });

  it("shows an agent.ts that is valid", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-readme-"));
    try {
      writeFileSync(join(folder, "agent.ts"), fencedBlocks(agents).find(({ language }) => language === "ts")!.text);
      expect((await loadAgent(join(folder, "agent.ts"))).definition.name).toBe("activity");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

it("boards/README.md lists every board with its chip and core", () => {
  const rows = readText("boards/README.md").split("\n");
  for (const { id, chip, core } of loadBoards()) {
    const row = rows.find((line) => line.startsWith(`| ${id} | ${chip} | ${core} |`));
    expect(row, `no row for ${id}, ${chip}, ${core}`).toBeDefined();
  }
});

describe("host/gateway/README.md", () => {
  const gateway = readText("host/gateway/README.md");

  it("shows a configuration that is valid", () => {
    const example = fencedBlocks(gateway).find(({ language }) => language === "json")!.text;
    expect(gatewayConfigSchema.safeParse(JSON.parse(example)).error).toBeUndefined();
  });

  it("names every field of the configuration", () => {
    for (const field of Object.keys(gatewayConfigSchema.shape)) expect(gateway).toContain(`\`${field}\``);
  });
});

it("host/README.md has a line for every dependency", () => {
  const { dependencies, optionalDependencies } = JSON.parse(readText("package.json")) as Record<string, Record<string, string>>;
  const rows = readFileSync(join(packageRoot(), "host/README.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| "));
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const shown = name.startsWith("@opentelemetry/") ? "@opentelemetry/*" : name;
    expect(
      rows.some((row) => row.split(/[|,( ]+/).includes(shown)),
      `no row for ${name}`,
    ).toBe(true);
  }
});

it.each(bundledAgents())("agents/%s/CARD.md has at most 80 lines", (name) => {
  expect(readText(`agents/${name}/CARD.md`).trimEnd().split("\n").length).toBeLessThanOrEqual(80);
});
