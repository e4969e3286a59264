import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { LINK_DEVICE } from "../../../../assembly/device/layout.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { parseCsvFile } from "../../../../host/data/csv/csv-file.ts";
import { createLinkWriter } from "../../../../host/link/stream.ts";
import { needPrograms } from "../../../support/programs.ts";
import { cli } from "../fake-io.ts";
import { tempFolder } from "../temp-agent.ts";

/** What the screen shows, and the key that is pressed then. */
const KEYS = [
  ["frames per second", "1"],
  ["▸ walk  1 s", "2"],
  ["▸ sit  1 s", "\u0003"],
];

/** Link bytes of so many seconds at 50 Hz, two frames a message. */
function wearing(seconds: number): Buffer {
  const chunks: Uint8Array[] = [];
  const writer = createLinkWriter((bytes) => void chunks.push(bytes.slice()));
  for (let tick = 0; tick < 50 * seconds; tick += 2)
    writer.sensor(
      LINK_DEVICE,
      tick,
      6,
      Int16Array.from({ length: 12 }, (_, i) => (i % 6 === 0 ? 2048 : (tick * (i % 6)) % 300)),
    );
  return Buffer.concat(chunks);
}

describe("dormouse capture at a terminal and a serial port", () => {
  it("records what the port sends, by the keys that are pressed; Ctrl-C ends it in order", async (context) => {
    needPrograms(context, "python3");
    const folder = tempFolder();
    try {
      await cli(["new", "gestures", "--kind", "imu"], { cwd: folder.path });
      mkdirSync(join(folder.path, "gestures/recordings"));
      const bytes = wearing(60);
      writeFileSync(join(folder.path, "wearing.dls"), bytes);
      const args = [
        join(packageRoot(), "test/support/terminals.py"),
        join(folder.path, "wearing.dls"),
        String(bytes.length / 60),
        JSON.stringify(KEYS),
      ];
      const program = ["node", join(packageRoot(), "dist/dormouse.js"), "capture", "gestures", "--sensor", "serial:{port}"];
      const { status, stdout } = spawnSync("python3", [...args, ...program, "--wearer", "7", "--labels", "walk,sit", "--countdown", "0"], {
        cwd: folder.path,
        encoding: "utf8",
      });
      const shown = stripVTControlCharacters(stdout);
      expect(status, shown.slice(-500)).toBe(0);
      expect(shown).toContain("recording walk");
      expect(shown).toMatch(/s07-1\.csv: \d+ samples at [\d.]+ Hz, walk [\d.]+ s, sit [\d.]+ s/);
      expect(stdout).toContain("\u001b[?1049l"); // the screen is left
      const path = join(folder.path, "gestures/recordings/s07-1.csv");
      const file = parseCsvFile(new Uint8Array(readFileSync(path)), path)[0]!;
      expect(file.channels.map(({ unit }) => unit)).toEqual(["g", "g", "g", "°/s", "°/s", "°/s"]);
      expect(file.values[0]).toBe(1); // 2048 counts are 1 g
      expect(new Set(file.labels)).toEqual(new Set(["walk", "sit"]));
    } finally {
      folder.remove();
    }
  });
});
