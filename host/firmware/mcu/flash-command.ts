import { FirmwareError } from "../../core/system/errors.ts";
import type { Board } from "../../power/board.ts";
import type { ToolName } from "../c/tools.ts";

/** A program that writes a file to a board, and its arguments. */
export interface FlashCommand {
  readonly tool: ToolName;
  readonly args: readonly string[];
  readonly how: string | undefined;
}

type Method = Board["flashing"][number]["method"];

/** The command lines that flash a file by the methods of a board, in its order. */
export function flashCommands(board: Board, path: string): FlashCommand[] {
  const commands: FlashCommand[] = [];
  for (const method of board.flashing) {
    if (method.method === "openocd" && /\.(elf|hex)$/.test(path)) {
      const transport = method.transport === undefined ? [] : ["-c", `transport select ${method.transport}`];
      const args = ["-f", method.interface, ...transport, "-f", method.target, "-c", `program {${path}} verify reset exit`];
      commands.push({ tool: "openocd", args, how: undefined });
    } else if (method.method === "dfu" && /\.bin$/.test(path) && !/\.signed\.bin$/.test(path)) {
      const args = ["-d", `${method.vendorId}:${method.productId}`, "-a", String(method.alt), "-s", `${method.address}:leave`, "-D", path];
      commands.push({ tool: "dfu-util", args, how: method.how });
    } else if (method.method === "picotool" && /\.(uf2|elf)$/.test(path))
      commands.push({ tool: "picotool", args: ["load", "-v", "-x", path], how: undefined });
  }
  return commands;
}

/** The command line as a person types it. */
export function commandText({ tool, args }: FlashCommand): string {
  return [tool, ...args.map((arg) => (/^[\w./:=-]+$/.test(arg) ? arg : `'${arg}'`))].join(" ");
}

const FORMATS: Readonly<Record<Method, string>> = { uf2: ".uf2", openocd: ".elf or .hex", dfu: ".bin", picotool: ".uf2 or .elf" };

/** The error for a file that no method of the board takes. */
export function noMethod(board: Board, path: string): FirmwareError {
  const methods = board.flashing.map(({ method }) => `${method} (${FORMATS[method]})`).join(", ");
  return new FirmwareError(
    "FLASH_NO_METHOD",
    `${board.id} cannot be flashed with ${path}: ${methods === "" ? "nothing is flashed there" : `its methods are ${methods}`}. Give one of dormouse build's files for it.`,
  );
}
