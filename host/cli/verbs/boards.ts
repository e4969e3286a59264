import type { Command } from "commander";
import { boardJsonSchema, loadBoards } from "../../agent/board.ts";
import type { CliIo } from "../io.ts";
import { jsonOption } from "../options.ts";
import { createOutput } from "../output.ts";
import { bytesText, table } from "../table.ts";

/** `dormouse boards`: the boards that Dormouse knows. */
export function registerBoards(program: Command, io: CliIo): void {
  program
    .command("boards")
    .description("List the boards that Dormouse knows.")
    .option("--schema", "print the JSON Schema of a board.json instead", false)
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse boards")
    .action((options: { json: boolean; schema: boolean }) => {
      if (options.schema) {
        io.stdout(`${JSON.stringify(boardJsonSchema(), undefined, 2)}\n`);
        return;
      }
      const out = createOutput(io, options.json);
      const boards = loadBoards();
      const rows = boards.map(({ id, name, class: kind, chip, core, clockHz, memory }) => [
        id,
        name,
        kind,
        chip,
        core,
        clockHz === undefined ? "varies" : `${clockHz / 1e6} MHz`,
        memory.flashBytes === undefined ? "–" : bytesText(memory.flashBytes),
        memory.ramBytes === undefined ? "varies" : bytesText(memory.ramBytes),
      ]);
      for (const line of table(["board", "name", "class", "chip", "core", "clock", "flash", "RAM"], rows)) out.say(line);
      out.document({ boards: boards.map(({ $schema: _, ...board }) => board) });
    });
}
