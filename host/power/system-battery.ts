import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Charge of the machine's own battery, as Linux tells it; undefined: it has none, or tells nothing. */
export function systemBattery(folder = "/sys/class/power_supply"): { readonly percent: number } | undefined {
  try {
    for (const name of readdirSync(folder)) {
      const read = (file: string) => readFileSync(join(folder, name, file), "utf8").trim();
      if (read("type") !== "Battery") continue;
      const percent = Number(read("capacity"));
      if (percent >= 0 && percent <= 100) return { percent };
    }
  } catch {
    // No such folder, or a supply without a capacity.
  }
  return undefined;
}
