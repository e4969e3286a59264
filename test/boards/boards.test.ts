import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { loadTarget, targetIds } from "../../host/firmware/mcu/target.ts";
import { boardJsonSchema, loadBoard, loadBoards } from "../../host/power/board.ts";

const folder = join(packageRoot(), "boards");

describe("the boards", () => {
  it("are those of the folder, each under its own id", () => {
    const folders = readdirSync(folder).filter((name) => existsSync(join(folder, name, "board.json"))); // others: test machines, shared sources
    expect(loadBoards().map(({ id }) => id)).toEqual(folders.sort());
  });

  it("give a microcontroller's clock, flash and RAM", () => {
    for (const board of loadBoards().filter((one) => one.class === "microcontroller")) {
      expect(board.clockHz, board.id).toBeGreaterThan(0);
      expect(board.memory.flashBytes, board.id).toBeGreaterThan(0);
      expect(board.memory.ramBytes, board.id).toBeGreaterThan(0);
    }
  });

  it("have a memory map that adds up to those sizes, without overlaps", () => {
    for (const { id, memory } of loadBoards().filter((one) => one.class === "microcontroller")) {
      const regions = memory.regions ?? [];
      const sum = (kind: string): number =>
        regions.filter((region) => region.kind === kind).reduce((bytes, region) => bytes + region.bytes, 0);
      expect(sum("flash"), id).toBe(memory.flashBytes);
      expect(sum("ram"), id).toBe(memory.ramBytes);
      const sorted = regions.map(({ base, bytes }) => ({ base: Number(base), bytes })).sort((a, b) => a.base - b.base);
      for (const [i, region] of sorted.entries())
        expect(region.base, id).toBeGreaterThanOrEqual(i === 0 ? 0 : sorted[i - 1]!.base + sorted[i - 1]!.bytes);
    }
  });

  it("and their firmware.json name the same core and emulator", () => {
    for (const board of loadBoards().filter((one) => targetIds().includes(one.id))) {
      const target = loadTarget(board.id);
      expect(target.cpu, board.id).toBe(board.cpu?.name);
      const { emulator } = board;
      expect(target.emulator?.kind, board.id).toBe(emulator?.kind);
      if (emulator?.kind !== "qemu" || target.emulator?.kind !== "qemu") continue;
      expect(target.emulator.machine, board.id).toBe(emulator.machine);
      expect(target.emulator.serial, board.id).toBe(emulator.serialIndex);
    }
  });

  it("say what each microcontroller needs to be built and flashed for, and which Linux the others run", () => {
    for (const board of loadBoards()) {
      const isFirmware = board.class === "microcontroller";
      expect(board.cpu !== undefined, board.id).toBe(isFirmware);
      expect(board.linux !== undefined, board.id).toBe(!isFirmware);
      if (!isFirmware) continue;
      expect(board.link, board.id).toBeDefined();
      expect(board.flashing.length > 0 || board.emulator !== undefined, board.id).toBe(true);
    }
  });

  it("name a source for every fact", () => {
    for (const board of loadBoards()) {
      const vouched = new Set(board.sources.flatMap(({ facts }) => facts));
      for (const fact of vouched) expect(Object.keys(board), board.id).toContain(fact);
      for (const fact of ["chip", "core", "cpu", "linux", "clockHz", "link", "imu", "emulator"] as const) {
        if (board[fact] !== undefined) expect(vouched, `${board.id} ${fact}`).toContain(fact);
      }
      if (board.memory.ramBytes !== undefined) expect(vouched, board.id).toContain("memory");
      if (board.flashing.length > 0) expect(vouched, board.id).toContain("flashing");
    }
  });

  it("refuse an unknown one by name, with the list", () => {
    expect(() => loadBoard("arduino-uno")).toThrow(/no board "arduino-uno": there are .*pico/);
  });

  it.each([
    {
      name: "volts",
      points: [
        [0, 3],
        [0.5, 3.7],
        [0.4, 3.8],
        [1, 4.2],
      ],
      says: /battery\.volts\.points: must ascend/,
    },
    {
      name: "volts",
      points: [
        [0, 3],
        [0.9, 4.2],
      ],
      says: /battery\.volts\.points: must begin at a charge of 0 and end at 1/,
    },
    {
      name: "usableShare",
      points: [
        [0, 0.8],
        [0, 1],
      ],
      says: /battery\.usableShare\.points: must ascend/,
    },
  ])("refuse a battery's curve $name of $points", ({ name, points, says }) => {
    const root = mkdtempSync(join(tmpdir(), "dormouse-board-"));
    try {
      const board = JSON.parse(readFileSync(join(folder, "pico", "board.json"), "utf8")) as { battery: Record<string, object> };
      board.battery[name] = { ...board.battery[name], points };
      mkdirSync(join(root, "boards", "pico"), { recursive: true });
      writeFileSync(join(root, "boards", "pico", "board.json"), JSON.stringify(board));
      expect(() => loadBoards(root)).toThrow(says);
    } finally {
      rmSync(root, { recursive: true });
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
