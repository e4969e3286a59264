import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { boardJsonSchema, loadBoards } from "../../host/agent/board.ts";
import { packageRoot } from "../../host/core/package-root.ts";

const folder = join(packageRoot(), "boards");

describe("the boards", () => {
  it("are those of the folder, each under its own id", () => {
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(loadBoards().map(({ id }) => id)).toEqual(folders.map(({ name }) => name).sort());
  });

  it("give a microcontroller's clock, flash and RAM", () => {
    for (const board of loadBoards().filter((one) => one.class === "microcontroller")) {
      expect(board.clockHz, board.id).toBeGreaterThan(0);
      expect(board.memory.flashBytes, board.id).toBeGreaterThan(0);
      expect(board.memory.ramBytes, board.id).toBeGreaterThan(0);
    }
  });

  it("have the schema that the zod schema gives (else: node dist/dormouse.js boards --schema > boards/board.schema.json)", () => {
    expect(JSON.parse(readFileSync(join(folder, "board.schema.json"), "utf8"))).toEqual(boardJsonSchema());
  });

  it("point their editors to that schema", () => {
    for (const { id } of loadBoards()) {
      const raw = JSON.parse(readFileSync(join(folder, id, "board.json"), "utf8")) as { $schema?: string };
      expect(raw.$schema).toBe("../board.schema.json");
    }
  });
});
