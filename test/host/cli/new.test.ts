import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadAgent } from "../../../host/agent/registry.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { cli } from "./fake-io.ts";
import { tempFolder } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder.path, "package.json"), '{ "type": "module" }');
});
afterEach(() => folder.remove());

/** What the strictest compiler complains of in a file that imports the package. */
function complaints(file: string): string[] {
  const program = ts.createProgram([file], {
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true, noUnusedLocals: true },
    ...{ target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    ...{
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      types: ["node"],
      typeRoots: [join(packageRoot(), "node_modules/@types")],
    },
    paths: { "dormouse-edge": [join(packageRoot(), "host/index.ts")] },
  });
  const source = program.getSourceFile(file)!;
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ messageText }) =>
    ts.flattenDiagnosticMessageText(messageText, "\n"),
  );
}

describe("dormouse new", () => {
  it.each(["imu", "csv"])("writes an agent of kind %s that the strictest compiler takes, and that loads", async (kind) => {
    const { code, stdout } = await cli(["new", "gestures", "--kind", kind], { cwd: folder.path });
    expect(code).toBe(0);
    const at = join(folder.path, "gestures");
    for (const file of ["agent.ts", "README.md", ".gitignore"]) expect(stdout).toContain(`wrote ${join(at, file)}`);
    expect(complaints(join(at, "agent.ts"))).toEqual([]);
    const agent = await loadAgent("gestures", folder.path);
    expect(agent.definition).toMatchObject({
      name: "gestures",
      data: "csv",
      sensor: { kind: kind === "imu" ? "imu" : "custom", rateHz: 50 },
    });
    expect(agent.modelPath).toBe(join(at, "runs/seed-1/model.dmm"));
    expect(readFileSync(join(at, ".gitignore"), "utf8")).toContain("recordings/");
    const wrong = readFileSync(join(at, "agent.ts"), "utf8").replace(/kind: "\w+"/, 'kind: "nose"');
    writeFileSync(join(at, "wrong.ts"), wrong);
    expect(complaints(join(at, "wrong.ts")).join()).toContain('"nose"');
  });

  it("takes rate and channels from recordings that are there", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `${(i / 20).toFixed(2)},${i % 7},${i % 5},run`);
    writeFileSync(join(folder.path, "s01.csv"), `time,flow[l],pressure[bar],label\n${rows.join("\n")}\n`);
    const { code } = await cli(["new", "pump", "--kind", "csv", "--data", "."], { cwd: folder.path });
    expect(code).toBe(0);
    const { definition } = await loadAgent("pump", folder.path);
    expect(definition.sensor).toMatchObject({ kind: "custom", rateHz: 20, channels: 2 });
    expect(readFileSync(join(folder.path, "pump/README.md"), "utf8")).toContain(
      "npx dormouse train --data . --name pump --out pump/runs --rate 20",
    );
  });

  it("writes nothing into a folder that has something, under a bad name, or with an option that changes nothing", async () => {
    writeFileSync(join(folder.path, "mine.txt"), "");
    const refused = async (...args: string[]) => (await cli(["new", ...args], { cwd: folder.path })).stderr;
    expect(await refused(".", "--kind", "imu")).toMatch(/is no agent's name|is there and not empty/);
    expect(await refused("Über", "--kind", "imu")).toContain('"Über" is no agent\'s name');
    expect(await refused("pump", "--kind", "imu", "--data", ".")).toContain("--data goes with --kind csv");
    expect((await cli(["new", "pump", "--kind", "csv"], { cwd: folder.path })).code).toBe(0);
    expect(await refused("pump", "--kind", "csv")).toContain("is there and not empty: nothing was written");
  });
});
