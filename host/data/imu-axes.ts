import { ConfigError } from "../core/system/errors.ts";

/** The body's x, y, z as axes of the IMU's chip: 1 x, 2 y, 3 z, negative if it points the other way. */
export type ImuAxes = readonly [number, number, number];

export const CHIP_AXES: ImuAxes = [1, 2, 3];

/** "+x+y+z" → [1, 2, 3]. How an IMU sits on its board and the board on the body is one turn: a mirrored order is refused. */
export function parseImuAxes(text: string): ImuAxes {
  const parts = [...text.matchAll(/([+-])([xyz])/g)];
  const axes = parts.map(([, sign, axis]) => (sign === "-" ? -1 : 1) * ("xyz".indexOf(axis!) + 1));
  const refuse = (why: string): never => {
    throw new ConfigError(
      "IMU_AXES",
      `the IMU's axes are "${text}": ${why}. Give which of the chip's axes is the body's x, y, z, as in +y-x+z.`,
    );
  };
  if (parts.length !== 3 || text.length !== 6) refuse("three signed letters are needed");
  const [a, b, c] = axes.map(Math.abs) as [number, number, number];
  if (new Set([a, b, c]).size !== 3) refuse("each axis is needed once");
  const isEven = (a === 1 && b === 2) || (a === 2 && b === 3) || (a === 3 && b === 1);
  if ((isEven ? 1 : -1) * Math.sign(axes[0]! * axes[1]! * axes[2]!) < 0) refuse("that is a mirror image, which no turn gives");
  return [axes[0]!, axes[1]!, axes[2]!];
}
