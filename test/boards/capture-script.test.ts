import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { decodeSensor } from "../../host/link/sensor.ts";
import { createLinkDecoder } from "../../host/link/stream.ts";
import { needPrograms } from "../support/programs.ts";

/** Runs lines of Python beside boards/common/capture.py; returns what they wrote. */
function python(lines: string): Buffer {
  const prefix = `import sys\nsys.path.insert(0, ${JSON.stringify(join(packageRoot(), "boards/common"))})\nsys.dont_write_bytecode = True\nimport capture\n`;
  const { status, stdout, stderr } = spawnSync("python3", ["-c", prefix + lines]);
  expect(status, String(stderr)).toBe(0);
  return stdout;
}

describe("boards/common/capture.py", () => {
  it("writes link frames that the host reads: ticks and counts, whatever bytes they hold", (context) => {
    needPrograms(context, "python3");
    const bytes = python(`
for tick in (0, 1, 255, 256, 65535, 65536, 2**32 - 1):
  sys.stdout.buffer.write(capture.sensor_frame(tick, [0, 1, -1, 32767, -32768, tick % 30000]))
`);
    const frames: { tick: number; samples: number[] }[] = [];
    const bad: string[] = [];
    const decoder = createLinkDecoder({
      onFrame(frame) {
        const decoded = decodeSensor(frame.payload);
        if (frame.type === "sensor" && decoded.ok) frames.push({ tick: decoded.value.tick, samples: [...decoded.value.samples] });
      },
      onBad: (reason) => bad.push(reason),
    });
    decoder.push(bytes);
    decoder.end();
    expect(bad).toEqual([]);
    const ticks = [0, 1, 255, 256, 65_535, 65_536, 2 ** 32 - 1];
    expect(frames).toEqual(ticks.map((tick) => ({ tick, samples: [0, 1, -1, 32_767, -32_768, tick % 30_000] })));
  });

  it("turns a part's raw bytes into the counts that the firmware has: byte order, scale, rounding, axes", (context) => {
    needPrograms(context, "python3");
    const counts = JSON.parse(
      String(
        python(`
import json, struct
lsm, mpu = capture.KINDS
raw = struct.pack("<3h", 1000, -1000, 32767) + struct.pack("<3h", 2048, -2048, 5)  # gyroscope, then accelerometer
mpu_raw = struct.pack(">3hh3h", 2048, -2048, 5, 0, 41, -164, 20)
print(json.dumps([capture.counts(lsm, raw), capture.counts(mpu, mpu_raw), capture.counts(mpu, mpu_raw, "+y-x+z")]))
`),
      ),
    );
    expect(counts).toEqual([
      [2048, -2048, 5, 1120, -1120, 32_767], // 28/25, cut at int16
      [2048, -2048, 5, 40, -160, 20], // 20 · 40/41 = 19.5: to the nearest
      [-2048, -2048, 5, -160, -40, 20],
    ]);
  });
});
