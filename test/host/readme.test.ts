import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Model } from "../../host/core/model.ts";
import { packageRoot } from "../../host/core/package-root.ts";
import { loadBoards } from "../../host/index.ts";

const readme = readFileSync(join(packageRoot(), "README.md"), "utf8");
const rowOf = (name: string): string => readme.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? `no row for ${name}`;

it("lists every board with its chip, core and clock", () => {
  for (const { id, chip, core } of loadBoards()) {
    expect(rowOf(id)).toContain(`| ${chip} |`);
    expect(rowOf(id)).toContain(`| ${core} |`);
  }
});

it("gives the head of the activity model's arena", async () => {
  const model = await Model.open(join(packageRoot(), "agents/activity/model.dmm"), { engine: "scalar" });
  const tail = model.createSession().snapshot().length - 32;
  expect(rowOf("head: pointers, set-point, decision, logits, scratch that every block shares")).toContain(
    (model.arenaBytes - tail).toLocaleString("en"),
  );
});

it("gives every agent's sizes", async () => {
  for (const name of ["activity", "fall"]) {
    const model = await Model.open(join(packageRoot(), `agents/${name}/model.dmm`), { engine: "scalar" });
    const sizes = [model.manifest.parameters, model.imageBytes, model.arenaBytes].map((n) => n.toLocaleString("en"));
    for (const size of sizes) expect(rowOf(name)).toContain(size);
  }
});

it("has no placeholder left, and shows the first command", () => {
  expect(readme).not.toContain("@@");
  expect(readme).toContain("npm ci && npm start");
});
