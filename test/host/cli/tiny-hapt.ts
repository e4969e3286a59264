import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Frames of a recording: four published windows. */
export const TINY_FRAMES = 320;

/**
 * HAPT with one recording of each of `users`, standing all the while. The random image names wearer 3 for selection, 4 for calibration
 * and 5 for the test. `line` may spoil a line of the accelerometer.
 */
export function writeTinyHapt(
  folder: string,
  users: readonly number[] = [5],
  line: (text: string, index: number) => string = (text) => text,
): string {
  const raw = join(folder, "HAPT", "RawData");
  mkdirSync(raw, { recursive: true });
  const rows = (phase: number) => Array.from({ length: TINY_FRAMES }, (_, i) => `${Math.sin(i / 9 + phase)} ${Math.cos(i / 7)} 0.25`);
  const two = (n: number): string => String(n).padStart(2, "0");
  users.forEach((user, i) => {
    const name = `exp${two(i + 1)}_user${two(user)}.txt`;
    writeFileSync(
      join(raw, `acc_${name}`),
      rows(user - 5)
        .map(line)
        .join("\n"),
    );
    writeFileSync(join(raw, `gyro_${name}`), rows(user - 4).join("\n"));
  });
  writeFileSync(join(raw, "labels.txt"), users.map((user, i) => `${i + 1} ${user} 5 1 ${TINY_FRAMES}\n`).join(""));
  return join(folder, "HAPT");
}
