import { readFileSync } from "node:fs";
import { type Command, CommanderError } from "commander";
import { loadAgent, openAgentModel } from "../../agent/registry.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { percentText, table } from "../../core/system/table.ts";
import { checkFit } from "../../firmware/fits/fits.ts";
import type { FitsReport, Room, Work } from "../../firmware/fits/fits-report.ts";
import { frameSourceText } from "../../firmware/mcu/frame-source.ts";
import { loadBoard, loadBoards } from "../../power/board.ts";
import { jsonOption } from "../common/options.ts";

interface FitsVerbOptions {
  readonly json: boolean;
  readonly board: string;
  readonly quick: boolean;
}

/** `dormouse fits`: a proof before flashing. */
export function registerFits(program: Command, io: CliIo): void {
  program
    .command("fits")
    .description("Check that an agent fits a board before flashing: memory, stack, time and energy.")
    .argument("<agent>", "a bundled agent's name, or the path of an agent.ts")
    .requiredOption("--board <id>", "check against this board; dormouse boards lists them")
    .option("--quick", "skip measurements; use operation counts and the arena size", false)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nCompiles the program (gcc-arm-none-eabi) and runs it in an emulator (qemu-system-arm, rp2040js) if they are installed,\nand lists what could not be measured. Exit code 1: it does not fit.\n\nExample:\n  $ dormouse fits activity --board pico",
    )
    .action((agent: string, options: FitsVerbOptions) => fits(io, agent, options));
}

async function fits(io: CliIo, name: string, options: FitsVerbOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const board = loadBoard(options.board);
  const agent = await loadAgent(name, io.cwd);
  const model = await openAgentModel(agent, { engine: "scalar" });
  const report = await checkFit({
    agent: agent.definition.name,
    model,
    image: readFileSync(agent.modelPath),
    board,
    boards: loadBoards(),
    isQuick: options.quick,
    onProgress: (text) => out.note(`measuring: ${text} …`),
  });
  sayReport(out, report);
  if (report.frames !== undefined) out.say(frameSourceText(report.frames, model.manifest));
  out.document(report);
  if (!report.fits) throw new CommanderError(1, "dormouse.doesNotFit", "");
}

function sayReport(out: Output, report: FitsReport): void {
  const { flash, ram, stack, window, worstHop, energy, busyShare } = report;
  out.say(`${report.agent} ${verdict(report)}`);
  for (const reason of report.reasons) out.say(`  ${reason}`);
  for (const line of report.advice) out.say(`  → ${line}`);
  out.say();
  const energyText = energy.decisionMicrojoules?.map((joules) => joules.toFixed(0)).join(" ");
  const rows = [
    ["flash", roomText(flash), `model ${flash.modelBytes} B; ${flash.basis}`],
    ["RAM", roomText(ram), `arena ${ram.arenaBytes} B, of it context for asks ${ram.contextBytes} B; ${ram.basis}`],
    ["stack", roomText(stack), stack.basis === "measured" ? "painted and read back; measured" : stack.basis],
    ["per window, full depth", workText(window), window.basis],
    ["worst frame", workText(worstHop), `within ${(1000 * worstHop.limitSeconds).toFixed(0)} ms; ${worstHop.basis}`],
    ["busy at full depth", busyShare === undefined ? "unknown" : percentText(busyShare, 1), ""],
    [
      "per decision, by exit",
      energyText === undefined ? "unknown" : `${energyText} µJ`,
      energyText === undefined ? "no power figures" : energy.basis,
    ],
  ];
  for (const line of table(["", "", ""], rows).slice(1)) out.say(line);
  for (const note of report.notes) out.say(note);
  for (const missing of report.notMeasured) out.say(`not measured: ${missing}`);
}

/** "May fit": the room for code or stack is bounded, but their sizes were not measured. */
function verdict({ fits, board, flash, stack }: FitsReport): string {
  if (!fits) return `does not fit ${board}.`;
  const isOpen = ({ hasBytes, basis }: Room): boolean => hasBytes !== undefined && basis !== "measured";
  const unknown = [isOpen(flash) ? ["code"] : [], isOpen(stack) ? ["stack"] : []].flat();
  return unknown.length === 0 ? `fits ${board}.` : `may fit ${board}: ${unknown.join(" and ")} not measured.`;
}

function roomText({ usedBytes, hasBytes }: Room): string {
  if (usedBytes === undefined) return hasBytes === undefined ? "–" : `? of ${hasBytes} B`;
  return hasBytes === undefined ? `${usedBytes} B` : `${usedBytes} of ${hasBytes} B (${percentText(usedBytes / hasBytes)})`;
}

function workText({ instructions, cycles, seconds }: Work): string {
  const counts = [
    ...(instructions === undefined ? [] : [`${(instructions / 1e6).toFixed(2)} M instructions`]),
    ...(cycles === undefined ? [] : [`${(cycles / 1e6).toFixed(2)} M cycles`]),
    ...(seconds === undefined ? [] : [`${(1000 * seconds).toFixed(1)} ms`]),
  ];
  return counts.join(", ");
}
