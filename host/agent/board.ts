import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../core/errors.ts";
import { packageRoot } from "../core/package-root.ts";
import { checked } from "./checked.ts";

/** Facts about one board, each from the source that it names. */
export const boardSchema = z.strictObject({
  $schema: z.string().optional(),
  id: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .describe("The folder's name."),
  name: z.string().min(1).describe("What its maker calls it."),
  class: z.enum(["host", "gateway", "microcontroller"]).describe("host and gateway run Node; a microcontroller runs firmware."),
  chip: z.string().min(1),
  core: z.string().min(1).describe("Processor core, e.g. Cortex-M4F."),
  clockHz: z.int().positive().optional().describe("Largest clock of the core, in hertz. Left out where it varies."),
  memory: z
    .strictObject({
      flashBytes: z.int().positive().optional().describe("Flash that the program may use, in bytes."),
      ramBytes: z.int().positive().optional().describe("RAM in bytes."),
    })
    .describe("Left out where it varies."),
  sources: z.array(z.string().min(1)).min(1).describe("Where the facts come from."),
});

/** One board, as boards/<id>/board.json has it. */
export type Board = Readonly<z.output<typeof boardSchema>>;

/** The JSON Schema of a board.json; boards/board.schema.json is this, and a test compares. */
export function boardJsonSchema(): object {
  return { ...z.toJSONSchema(boardSchema), title: "Dormouse board" };
}

/** Every board that comes with the package, in the order of their ids. */
export function loadBoards(root = packageRoot()): Board[] {
  const folder = join(root, "boards");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((id) => join(folder, id, "board.json"))
    .filter((path) => existsSync(path))
    .map(readBoard);
}

function readBoard(path: string): Board {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError("BOARD_JSON", `${path} is not valid JSON: ${String(cause)}. Mend it.`, { cause });
  }
  return checked(boardSchema, value, "BOARD_INVALID", path, "boards/board.schema.json says what a board.json holds.");
}
