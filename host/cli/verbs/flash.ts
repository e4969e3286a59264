import { spawnSync } from "node:child_process";
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { ConfigError, DataError, FirmwareError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { hasTool, toolMissing } from "../../firmware/c/tools.ts";
import { checkProgram } from "../../firmware/mcu/check-program.ts";
import { commandText, flashCommands, noMethod } from "../../firmware/mcu/flash-command.ts";
import { checkUf2Copy, copyUf2, findUf2Drives, type Uf2Drive, uf2DriveAt } from "../../firmware/mcu/uf2-drive.ts";
import { loadBoard } from "../../power/board.ts";
import { jsonOption } from "../common/options.ts";

interface FlashOptions {
  readonly json: boolean;
  readonly board: string;
  readonly drive?: string;
  readonly dryRun: boolean;
}

/** `dormouse flash`: a built file onto a board. */
export function registerFlash(program: Command, io: CliIo): void {
  program
    .command("flash")
    .description("Flash a built file to a board: by a verified copy to its UF2 drive, openocd, dfu-util or picotool.")
    .argument("<file>", "a .uf2, .hex, .elf or .bin file of dormouse build")
    .requiredOption("--board <id>", "flash this board; it must be plugged in")
    .option("--drive <dir>", "copy to the UF2 drive mounted here (default: found by its INFO_UF2.TXT)")
    .option("--dry-run", "check everything and show the steps without flashing", false)
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse flash firmware/activity-pico.uf2 --board pico --dry-run")
    .action((file: string, options: FlashOptions) => flash(io, file, options));
}

function flash(io: CliIo, file: string, options: FlashOptions): void {
  const out = createOutput(io, options.json);
  const board = loadBoard(options.board);
  const path = resolve(io.cwd, file);
  let bytes: Uint8Array;
  try {
    bytes = readWhole(path);
  } catch (cause) {
    throw new DataError("FILE_UNREADABLE", `cannot read ${path}: check the path, or build it: dormouse build.`, { cause });
  }
  checkProgram(path, bytes, board);
  const uf2 = board.flashing.find(({ method }) => method === "uf2");
  if (options.drive !== undefined && (uf2 === undefined || !path.endsWith(".uf2")))
    throw new ConfigError(
      "FLASH_OPTIONS",
      `--drive takes a .uf2 file to a board with a UF2 drive, and ${basename(path)} for ${board.id} goes another way: leave it out.`,
    );
  if (path.endsWith(".uf2") && uf2?.method === "uf2") {
    const drive = options.drive === undefined ? undefined : uf2DriveAt(resolve(io.cwd, options.drive));
    if (options.drive !== undefined && drive === undefined) {
      throw new FirmwareError("FLASH_NOT_UF2", `${options.drive} is no UF2 drive: it has no INFO_UF2.TXT. ${uf2.how}`);
    }
    const found = drive ?? onlyDrive(findUf2Drives(io.env.USER), uf2.boardId);
    if (found !== undefined) {
      checkUf2Copy(bytes, found, uf2, board.id);
      copy(out, bytes, found, basename(path), uf2.how, options.dryRun);
      return;
    }
  }
  const commands = flashCommands(board, path);
  if (commands.length === 0) {
    if (uf2?.method === "uf2" && path.endsWith(".uf2"))
      throw new FirmwareError("FLASH_NO_DRIVE", `no UF2 drive of a ${board.id} is mounted. ${uf2.how}`);
    throw noMethod(board, path);
  }
  const command = commands.find(({ tool }) => hasTool(tool)) ?? commands[0]!;
  out.say(`${options.dryRun ? "would run" : "running"}: ${commandText(command)}`);
  if (command.how !== undefined) out.say(command.how);
  if (!options.dryRun) {
    if (!hasTool(command.tool)) {
      const drive = uf2?.method === "uf2" && path.endsWith(".uf2") ? `no UF2 drive of a ${board.id} is mounted (${uf2.how}), and ` : "";
      throw toolMissing(command.tool, `${drive}it flashes ${board.id}`);
    }
    const stdout = options.json ? process.stderr.fd : "inherit"; // --json: one document, the tool's words beside it
    const { status, signal, error } = spawnSync(command.tool, [...command.args], { stdio: ["inherit", stdout, "inherit"] });
    if (status !== 0)
      throw new FirmwareError(
        "FLASH_FAILED",
        `${command.tool} ${error ? `cannot be started: ${error.message}` : `ended with ${signal ?? status}: see its output above`}. The board may be half-written: flash it again.`,
      );
  }
  out.document({ board: board.id, method: command.tool, command: commandText(command), isDryRun: options.dryRun });
}

function copy(out: Output, bytes: Uint8Array, drive: Uf2Drive, name: string, how: string, isDryRun: boolean): void {
  if (!isDryRun) copyUf2(bytes, drive, name, how);
  out.say(`${isDryRun ? "would copy" : "copied"} ${bytes.length} B to ${drive.path}: a ${drive.boardId}, which restarts with it`);
  out.document({ method: "uf2", drive: drive.path, boardId: drive.boardId, bytes: bytes.length, isDryRun });
}

function onlyDrive(drives: readonly Uf2Drive[], boardId: string): Uf2Drive | undefined {
  const fitting = drives.filter((drive) => drive.boardId === boardId);
  if (fitting.length > 1) {
    throw new FirmwareError(
      "FLASH_WHICH_DRIVE",
      `several boards are plugged in: ${fitting.map(({ path }) => path).join(", ")}. Choose with --drive.`,
    );
  }
  return fitting[0] ?? drives[0]; // another board's drive: the check reports it
}
