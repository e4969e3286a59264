import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSyntheticParameters } from "../../../host/agent/sensors/synthetic-sensor.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createSyntheticWearer } from "../../../host/data/synthetic.ts";

const CHANNELS = ["ax[g]", "ay[g]", "az[g]", "gx[°/s]", "gy[°/s]", "gz[°/s]"];
const COUNTS = [2048, 2048, 2048, 16, 16, 16];
const RATE_HZ = 50;

/** Half an hour of an IMU, six channels at 50 Hz: six synthetic wearers of five minutes, a file each. */
export function writeHalfHour(dir: string, { wearers = 6, minutes = 5 } = {}): void {
  const parameters = readSyntheticParameters(join(packageRoot(), "agents/activity/synthetic.json"));
  for (let seed = 1; seed <= wearers; seed++) {
    const wearer = createSyntheticWearer({ parameters, seed });
    const lines = Array.from({ length: minutes * 60 * RATE_HZ }, (_, i) => {
      const { frame, label } = wearer.next();
      const values = Array.from(frame, (count, c) => (count / COUNTS[c]!).toFixed(4));
      return [(i / RATE_HZ).toFixed(2), ...values, label].join(",");
    });
    writeFileSync(join(dir, `s${seed}.csv`), `${["time", ...CHANNELS, "label"].join(",")}\n${lines.join("\n")}\n`);
  }
}
