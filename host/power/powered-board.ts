import { ConfigError } from "../core/system/errors.ts";
import type { Board } from "./board.ts";
import type { BatteryFigures, PowerFigures, ThermalFigures } from "./board-power.ts";

/** A board with figures of power, battery and heat. */
export type PoweredBoard = Board & { readonly power: PowerFigures; readonly battery: BatteryFigures; readonly thermal: ThermalFigures };

/** Checks that a board has every figure that a governor needs. Throws BOARD_NO_POWER. */
export function poweredBoard(board: Board): PoweredBoard {
  const { power, battery, thermal } = board;
  if (power !== undefined && battery !== undefined && thermal !== undefined) return { ...board, power, battery, thermal };
  throw new ConfigError(
    "BOARD_NO_POWER",
    `board ${board.id} has no figures of power, battery and heat. Choose nrf52840-dk, nucleo-u575, pico, feather-stm32f405 or smart-glasses, or add power, battery and thermal to its board.json.`,
  );
}
