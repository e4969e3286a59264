import type { Command } from "commander";
import { createOutput } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { bytesText, table } from "../../core/system/table.ts";
import { type Board, boardJsonSchema, loadBoard, loadBoards } from "../../power/board.ts";
import { jsonOption, refuseWith } from "../common/options.ts";

/** `dormouse boards`: the known boards. */
export function registerBoards(program: Command, io: CliIo): void {
  program
    .command("boards")
    .description("List the known boards, or print every fact about one.")
    .argument("[board]", "id of the board whose facts are printed with their sources")
    .option("--schema", "print the JSON Schema of a board.json instead", false)
    .addOption(jsonOption())
    .addHelpText("after", "\nExamples:\n  $ dormouse boards\n  $ dormouse boards pico")
    .action((id: string | undefined, options: { json: boolean; schema: boolean }, command: Command) => {
      if (options.schema) {
        if (id !== undefined) refuseWith(command, `a board (${id})`, "--schema");
        io.stdout(`${JSON.stringify(boardJsonSchema(), undefined, 2)}\n`);
        return;
      }
      const out = createOutput(io, options.json);
      const boards = id === undefined ? loadBoards() : [loadBoard(id)];
      for (const line of id === undefined ? listLines(boards) : boards.flatMap(boardLines)) out.say(line);
      out.document({ boards: boards.map(({ $schema: _, ...board }) => board) });
    });
}

const clockText = ({ clockHz }: Board): string => (clockHz === undefined ? "varies" : `${clockHz / 1e6} MHz`);
const ramText = ({ memory }: Board): string => (memory.ramBytes === undefined ? "varies" : bytesText(memory.ramBytes));
const flashText = ({ memory }: Board): string => (memory.flashBytes === undefined ? "–" : bytesText(memory.flashBytes));
const waysText = ({ flashing }: Board): string => flashing.map(({ method }) => method).join(", ") || "–";

function emulatorText({ emulator }: Board): string {
  if (emulator === undefined) return "–";
  return emulator.kind === "qemu" ? `qemu ${emulator.machine}` : emulator.kind;
}

function listLines(boards: readonly Board[]): string[] {
  const rows = boards.map((board) => [
    board.id,
    board.class,
    board.chip,
    board.core,
    clockText(board),
    flashText(board),
    ramText(board),
    waysText(board),
    emulatorText(board),
  ]);
  return table(["board", "class", "chip", "core", "clock", "flash", "RAM", "flashed by", "emulator"], rows);
}

/** Every fact of the board's file, as text. */
function boardLines(board: Board): string[] {
  const { memory, link, imu, emulator } = board;
  const facts: string[][] = [
    ["class", board.class],
    ["chip", board.chip],
    ["core", `${board.core}, ${clockText(board)}`],
    ...(board.cpu === undefined ? [] : [["compiler", `-mcpu=${board.cpu.name}${board.cpu.hasDsp ? ", with DSP instructions" : ""}`]]),
    ...(board.linux === undefined ? [] : [["Linux", board.linux.architecture]]),
    ["flash", flashText(board)],
    ["RAM", ramText(board)],
    ...(memory.regions ?? []).map(({ name, base, bytes, note }) => [
      `at ${base}`,
      `${name}, ${bytesText(bytes)}${note === undefined ? "" : `: ${note}`}`,
    ]),
    ...(link === undefined ? [] : [["link", `${link.peripheral}, TX ${link.tx}, RX ${link.rx}, ${link.baud} baud`]]),
    ...(imu === undefined ? [] : [["IMU", `${imu.bus}, SDA ${imu.sda}, SCL ${imu.scl}`]]),
    ["flashed by", waysText(board)],
    ["emulator", emulatorText(board)],
    ...(emulator?.differences ?? []).map((difference) => ["  differs", difference]),
    ...board.sources.map(({ facts: keys, source }) => ["source", `${keys.join(", ")}: ${source}`]),
  ];
  return [board.name, ...table(["", ""], facts).slice(1)];
}
