import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SetPoint } from "../../../../host/core/session/session-types.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { loadHapt } from "../../../../host/data/hapt.ts";
import { scoredWindows } from "../../../../host/data/recording.ts";
import { makeStore } from "../../../../host/firmware/emulate/device-store.ts";
import { hostDecisions } from "../../../../host/firmware/emulate/host-decisions.ts";
import { makeLinkStream, type Stretch, stretchFrames } from "../../../../host/firmware/emulate/link-stream.ts";
import { replayDevice } from "../../../../host/firmware/emulate/replay-device.ts";
import { startDevice } from "../../../../host/firmware/emulate/run-device.ts";
import { readDeviceStream } from "../../../../host/link/messages.ts";
import { deviceSuite } from "../../../suites/device.ts";
import {
  activity,
  activityImage,
  DeviceRun,
  decisionsOf,
  quiet,
  recordingStretches,
  wearer,
  windowStretches,
} from "../../../support/device.ts";
import { dataDir } from "../../../support/require.ts";

const isNightly = process.env.DORMOUSE_NIGHTLY === "1";

// The whole matrix of cuts runs in memory in device-faults.test.ts; here each cut costs a process.
deviceSuite(
  "device.wasm under node:wasi",
  {
    async open(image) {
      const folder = folderWith(makeStore([image], { slotBytes: activityImage.length }));
      return { start: async () => startDevice(folder), close: async () => rmSync(folder, { recursive: true, force: true }) };
    },
  },
  isNightly ? { timeoutMillis: 600_000 } : { cutEvery: 32, randomCuts: 6, timeoutMillis: 180_000 },
);

describe("ten minutes under node:wasi", () => {
  const data = dataDir();
  const run = async (stream: Uint8Array, store: Uint8Array | undefined, factory: readonly string[] = []) => {
    const folder = folderWith(store);
    const device = new DeviceRun(startDevice(folder, { factory }));
    device.write(stream);
    expect(await device.finish()).toBe(0);
    rmSync(folder, { recursive: true, force: true });
    return Buffer.concat(device.bytes);
  };
  /** The child's bytes are the replay's, the replay's decisions the session's. */
  const same = async (stretches: readonly Stretch[], setPoint?: SetPoint) => {
    expect(stretches.reduce((frames, { samples, channels }) => frames + samples.length / channels, 0)).toBeGreaterThanOrEqual(30_000);
    const stream = makeLinkStream(stretches, setPoint === undefined ? {} : { setPoint });
    const output = await run(stream, makeStore([activityImage]));
    expect(output.equals(replayDevice({ stream, store: makeStore([activityImage]) }).output)).toBe(true);
    expect(decisionsOf(readDeviceStream(output).messages)).toEqual(hostDecisions(activity, stretchFrames(stretches), setPoint));
  };

  it("of a recorded wearer, whole and in windows, give the bytes of the replay and the decisions of the session", async () => {
    if (data === undefined) return same(wearer(41, 30_000)); // without recordings a synthetic one
    const recordings = loadHapt(data).recordings.slice(4, 6);
    await same(recordingStretches(recordings));
    const windows = recordings.flatMap((recording) =>
      windowStretches(
        recording,
        scoredWindows(recording).map(({ start }) => start),
        128,
      ),
    );
    await same(windows, { ...quiet(activity), hopPatches: 32 });
  });

  it("run from an image in the firmware as from the store, and without a store", async () => {
    const stream = makeLinkStream(wearer(42, 2000));
    const image = join(packageRoot(), "agents/activity/model.dmm");
    const linked = await run(stream, undefined, [image]);
    expect(linked.equals(replayDevice({ stream, factory: [activityImage] }).output)).toBe(true);
    expect(decisionsOf(readDeviceStream(linked).messages)).toEqual(
      decisionsOf(readDeviceStream(await run(stream, makeStore([activityImage]))).messages),
    );
  });
});

/** A folder for a device, with its store if it has one. */
function folderWith(store: Uint8Array | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-device-"));
  if (store !== undefined) writeFileSync(join(folder, "store"), store);
  return folder;
}
