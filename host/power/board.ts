import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { checked } from "../core/system/checked.ts";
import { ConfigError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import {
  cpuSchema,
  emulatorSchema,
  flashingSchema,
  imuSchema,
  linkSchema,
  linuxSchema,
  memorySchema,
  sourceSchema,
} from "./board-facts.ts";
import { batterySchema, powerSchema, type RadioKind, type RadioProfile, radioSchema, radiosSchema, thermalSchema } from "./board-power.ts";

/** Facts about one board, each from the source that it names. */
export const boardSchema = z.strictObject({
  $schema: z.string().optional(),
  id: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .describe("The folder's name."),
  name: z.string().min(1).describe("What its maker calls it."),
  class: z
    .enum(["host", "gateway", "wearable", "microcontroller"])
    .describe("host, gateway and wearable run Linux and Node; a microcontroller runs firmware."),
  chip: z.string().min(1),
  core: z.string().min(1).describe("Processor core, e.g. Cortex-M4F."),
  cpu: cpuSchema.optional(),
  linux: linuxSchema.optional(),
  clockHz: z.int().positive().optional().describe("Largest clock of the core, in hertz. Left out if it varies."),
  memory: memorySchema,
  link: linkSchema.optional(),
  imu: imuSchema.optional(),
  flashing: flashingSchema,
  emulator: emulatorSchema.optional(),
  power: powerSchema.optional().describe("Power figures. Left out for boards that are not carried."),
  battery: batterySchema.optional(),
  thermal: thermalSchema.optional(),
  radio: radioSchema.optional().describe("Names in boards/radios.json."),
  sources: z.array(sourceSchema).min(1).describe("Where the facts come from."),
});

/** One board, as boards/<id>/board.json has it. */
export type Board = Readonly<z.output<typeof boardSchema>>;

/** The JSON Schema of a board.json. A test compares it with boards/board.schema.json. */
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

/** The board of that id. */
export function loadBoard(id: string, root = packageRoot()): Board {
  const boards = loadBoards(root);
  const found = boards.find((board) => board.id === id);
  if (found !== undefined) return found;
  throw new ConfigError(
    "BOARD_UNKNOWN",
    `no board "${id}": there are ${boards.map((board) => board.id).join(", ")}. Choose one, or add boards/${id}/board.json.`,
  );
}

/** A board's radio of a kind. Throws BOARD_NO_RADIO. */
export function loadRadio(board: Board, kind: RadioKind, root = packageRoot()): RadioProfile {
  const path = join(root, "boards", "radios.json");
  const { radios } = checked(radiosSchema, readJson(path), "RADIOS_INVALID", path, "Restore the file.");
  const profile = radios[board.radio?.[kind] ?? ""];
  if (profile !== undefined) return profile;
  throw new ConfigError(
    "BOARD_NO_RADIO",
    `board ${board.id} has no ${kind} radio: it has ${Object.keys(board.radio ?? {}).join(", ") || "none"}. Choose one of these, or name one in its board.json.`,
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError("BOARD_JSON", `${path} is not valid JSON: ${String(cause)}. Fix the file.`, { cause });
  }
}

function readBoard(path: string): Board {
  return checked(boardSchema, readJson(path), "BOARD_INVALID", path, "boards/board.schema.json says what a board.json holds.");
}
