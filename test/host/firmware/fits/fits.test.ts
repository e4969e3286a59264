import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadedAgent } from "../../../../host/agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../../../../host/agent/registry.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import { checkFit } from "../../../../host/firmware/fits/fits.ts";
import type { FitsReport } from "../../../../host/firmware/fits/fits-report.ts";
import { parseOverflow, programRoom } from "../../../../host/firmware/mcu/program-sizes.ts";
import { emulatedTarget, loadTarget } from "../../../../host/firmware/mcu/target.ts";
import { loadBoard, loadBoards } from "../../../../host/power/board.ts";
import { randomImage } from "../../../golden/random-image.ts";
import { needTools } from "../../../support/tools.ts";
import { cli } from "../../cli/fake-io.ts";

const noTools = mkdtempSync(join(tmpdir(), "dormouse-none-"));
afterAll(() => rmSync(noTools, { recursive: true, force: true }));

describe("whether an agent fits a board", () => {
  let agent: LoadedAgent;
  let model: Model;

  beforeAll(async () => {
    agent = await loadAgent("activity");
    model = await openAgentModel(agent, { engine: "scalar" });
  });

  const reportOf = (board: string, one: { model: Model; image: Uint8Array }, isQuick = false) =>
    checkFit({ agent: "activity", board: loadBoard(board), boards: loadBoards(), isQuick, ...one });
  const activity = () => ({ model, image: readFileSync(agent.modelPath) });

  it("is proved by compiling and running it (needs arm-none-eabi-gcc, qemu-system-arm)", async (context) => {
    needTools(context, "arm-none-eabi-gcc", "qemu-system-arm");
    const report = await reportOf("feather-stm32f405", activity());
    expect(report).toMatchObject({ fits: true, reasons: [], advice: [], notMeasured: [] });
    for (const room of [report.flash, report.ram, report.stack]) {
      expect(room.basis).toBe("measured");
      expect(room.usedBytes).toBeGreaterThan(0);
      expect(room.usedBytes).toBeLessThanOrEqual(room.hasBytes!);
    }
    expect(report.flash.usedBytes).toBeGreaterThan(report.flash.modelBytes);
    expect(report.ram.usedBytes).toBeGreaterThan(report.ram.arenaBytes);
    expect(report.window.instructions).toBeLessThan(5_000_000);
    expect(report.worstHop.instructions).toBeLessThan(report.window.instructions!);
    expect(report.energy.decisionMicrojoules).toHaveLength(model.image.exits.length);
    // Operation counts and measured instructions are of one size: else one of them is wrong.
    const computed = await reportOf("feather-stm32f405", activity(), true);
    expect(computed.window.basis).toBe("computed");
    const ratio = computed.window.cycles! / report.window.cycles!;
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.5);
  });

  it("is measured on a test machine with the same core where no emulator knows the board", () => {
    for (const id of ["nrf52840-dk", "nucleo-u575"]) {
      const own = loadTarget(id);
      expect(own.emulator).toBeUndefined();
      expect(emulatedTarget(own), id).toMatchObject({ cpu: own.cpu, emulator: { kind: "qemu" } });
    }
    expect(emulatedTarget(loadTarget("pico"))?.id).toBe("pico");
  });

  it("is told from operation counts and the arena without tools, and what was not measured is said", async () => {
    const path = process.env.PATH;
    process.env.PATH = noTools;
    try {
      const report = await reportOf("pico", activity());
      expect(report).toMatchObject({
        fits: true,
        flash: { basis: "computed" },
        stack: { basis: "unknown" },
        window: { basis: "computed" },
      });
      expect(report.notMeasured.join(" ")).toMatch(/^size of the program: .* is not installed.*apt-get install/);
      expect(report.notes.join(" ")).toContain("operation counts");
    } finally {
      process.env.PATH = path;
    }
  });

  it("is refused for a model too big for the flash, with what to change (needs arm-none-eabi-gcc)", async (context) => {
    needTools(context, "arm-none-eabi-gcc");
    const big = { dModel: 128, pattern: "SSS", exitsAfter: [2], ssm: { nHeads: 8, headDim: 32, dState: 8, dConv: 4 } };
    const image = writeImage(randomImage(4, big));
    const report = await reportOf("feather-stm32f405", { image, model: Model.load(image, { engine: "scalar" }) });
    expect(report.fits).toBe(false);
    expect(report.reasons.join(" ")).toMatch(/^flash: \d+ B more than feather-stm32f405 has/);
    expect(report.reasons.at(-1)).toContain("leaves two slots");
    expect(report.advice[0]).toMatch(/train a model that is \d+ B smaller/);
    expect(report.advice.at(-1)).toContain("nucleo-u575");
  });

  it("is refused for a model whose state does not fit the RAM", async () => {
    const wide = {
      dModel: 64,
      pattern: "SSSS",
      exitsAfter: [0, 1, 2, 3],
      contextPatches: 1024,
      ringPatches: 256,
      channels: 16,
      patchFrames: 4,
    };
    const image = writeImage(randomImage(5, { ...wide, windowPatches: 32, hopPatches: 16 }));
    const report = await reportOf("feather-stm32f405", { image, model: Model.load(image, { engine: "scalar" }) }, true);
    expect(report.ram.usedBytes).toBeGreaterThan(report.ram.hasBytes!);
    expect(report.fits).toBe(false);
    expect(report.advice.join(" ")).toMatch(/contextPatches \d+ instead of 1024/);
    expect(report.advice.join(" ")).toMatch(/ringPatches \d+ instead of 256/);
  });

  it("is told for Linux boards from operation counts", async () => {
    const report = await reportOf("raspberry-pi-5", activity());
    expect(report).toMatchObject({ fits: true, window: { basis: "computed" } });
  });
});

describe("the linker's words", () => {
  it("say which region overflowed and by how much", () => {
    expect(parseOverflow("ld: region `FLASH' overflowed by 1234 bytes")).toEqual({ region: "flash", bytes: 1234 });
    expect(parseOverflow("ld: region `RAM' overflowed by 8 bytes")).toEqual({ region: "ram", bytes: 8 });
    expect(parseOverflow("undefined reference to `main'")).toBeUndefined();
  });

  it("go with what a board's memory.ld gives to the program: never more than the board has", () => {
    for (const { id, memory } of loadBoards().filter((board) => board.class === "microcontroller")) {
      const room = programRoom(loadTarget(id));
      expect(room.flashBytes, id).toBeLessThanOrEqual(memory.flashBytes!);
      expect(room.ramBytes, id).toBeLessThanOrEqual(memory.ramBytes!);
    }
  });
});

describe("dormouse fits", () => {
  it("answers in one document, and refuses a board that is not known", async () => {
    const { code, stdout } = await cli(["fits", "activity", "--board", "pico", "--quick", "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as FitsReport;
    expect(report).toMatchObject({ agent: "activity", board: "pico", fits: true });
    const refused = await cli(["fits", "activity", "--board", "arduino-uno"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/no board "arduino-uno": there are /);
  });
});
