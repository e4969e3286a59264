import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundledAgents } from "../../host/agent/registry.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { targetIds } from "../../host/firmware/mcu/target.ts";
import { readmePaths } from "../support/readme.ts";

describe("the npm package", () => {
  // As npm says itself; scripts are off, so that dist is what the tests' own build made.
  const listed = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: packageRoot(),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as { files: { path: string }[] }[];
  const files = new Set(listed[0]!.files.map(({ path }) => path));

  it("carries the programs, the modules and every agent", () => {
    for (const file of ["dormouse.js", "cli.js", "index.js", "gateway.js", "core-simd.wasm", "core-scalar.wasm", "core-kernels.wasm"]) {
      expect(files).toContain(`dist/${file}`);
    }
    for (const chunks of ["dist/cli/", "dist/library/"]) expect([...files].some((file) => file.startsWith(chunks))).toBe(true);
    for (const agent of bundledAgents()) expect(files).toContain(`agents/${agent}/agent.ts`);
  });

  it("carries what building firmware and libraries needs: board facts, start-up, HAL, link maps, templates", () => {
    for (const id of targetIds())
      for (const file of ["firmware.json", "hal.c", "memory.ld"]) expect(files).toContain(`boards/${id}/${file}`);
    for (const file of [
      "common/dormouse-rt.h",
      "common/dormouse-rt-module.h",
      "common/startup.c",
      "portable/dormouse.h",
      "portable/dormouse.c",
    ]) {
      expect(files).toContain(`boards/${file}`);
    }
    for (const file of ["c/CMakeLists.txt", "esp-idf/idf_component.yml", "zephyr/module.yml", "arduino/library.properties"]) {
      expect(files).toContain(`boards/portable/${file}`);
    }
  });

  it("gets the generated C at prepack, so that nobody who installs it needs wabt", () => {
    const { scripts, files: patterns } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
      scripts: Record<string, string>;
      files: string[];
    };
    expect(scripts.prepack).toContain("build:c");
    expect(scripts["build:c"]).toContain("write-c.js");
    expect(patterns).toEqual(expect.arrayContaining(["dist/c", "dist/types", "boards", "agents"]));
  });

  it("carries of an agent's sources only agent.ts: a recipe imports the host, which is not there", () => {
    const sources = [...files].filter((path) => path.startsWith("agents/") && path.endsWith(".ts"));
    expect(sources.sort()).toEqual(bundledAgents().map((agent) => `agents/${agent}/agent.ts`));
  });

  it("carries of dist only programs, release modules, generated C and declarations of host and layout", () => {
    for (const path of files) {
      if (!path.startsWith("dist/")) continue;
      expect(path).toMatch(
        /^dist\/(?:(?:dormouse|cli|gateway|index|run|mqtt|cloud|train|firmware)\.js|(?:cli|library)\/[\w-]+\.js|web\/(?:(?:index|phone)\.html|(?:main|phone)\.js|(?:page|phone)\.css|icon\.svg)|[a-z-]+\.wasm|c\/.+\.[ch]|types\/(?:host\/.+|assembly\/(?:.+\/)?layout)\.d\.ts)$/,
      );
      expect(path).not.toContain("debug");
    }
  });

  it("carries no sources of tests, no recordings", () => {
    const rest = [...files].filter((path) => !path.endsWith("/README.md"));
    for (const path of rest)
      expect(path).not.toMatch(/^(test|host(?!\/mqtt\/brokers\/|\/guard\/names\.txt$)|assembly|node_modules|runs|\.ci)\//);
  });

  it("carries every README that its READMEs lead to", () => {
    for (const path of readmePaths()) expect(files).toContain(path);
  });
});
