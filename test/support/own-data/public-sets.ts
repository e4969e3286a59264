import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { activityLabels, activitySplit } from "../../../agents/activity/train.ts";
import { wearerDays } from "../../../agents/fall/days.ts";
import { fallLabels, fallSplit } from "../../../agents/fall/train.ts";
import { IMU_CHANNELS } from "../../../host/core/image/imu-channels.ts";
import { loadHapt } from "../../../host/data/hapt.ts";
import { type Recording, selectRecordings } from "../../../host/data/recording.ts";
import { loadSisFall } from "../../../host/data/sisfall.ts";
import type { Split } from "../../../host/data/split-subjects.ts";

/** HAPT's training wearers as CSV: six activities, what lies between them without a label. The calibrate wearers of the shipped agent are those that test here. */
export function writeHaptRecordings(dir: string, dataDir: string): void {
  const { recordings } = loadHapt(dataDir);
  writeAll(dir, recordings, activitySplit, (label) => (label >= 1 && label <= 6 ? activityLabels[label - 1]! : ""));
}

/** SisFall's training wearers as CSV: falls of 2 s within daily life. The calibrate wearers of the shipped agent are those that test here. */
export function writeSisFallRecordings(dir: string, dataDir: string): void {
  const { recordings } = wearerDays(loadSisFall(dataDir));
  const frames = 100; // 2 s of a fall's 2.6: the rest is unlabelled
  const shorter = recordings.map((recording) => {
    const labels = recording.labels.slice();
    for (const { label, start, end } of recording.segments) if (label === 2 && end - start > frames) labels.fill(0, start + frames, end);
    return { ...recording, labels };
  });
  writeAll(dir, shorter, fallSplit, (label) => (label === 0 ? "" : fallLabels[label - 1]!));
}

/** A file a recording. Wearers are numbered so that `train` has the split's calibrate wearers test. */
function writeAll(dir: string, recordings: readonly Recording[], { fit, select, calibrate }: Split, name: (label: number) => string): void {
  const others = [...fit, ...select];
  const order = Array.from({ length: others.length + calibrate.length }, () => "");
  const tested = calibrate.slice();
  for (let i = 0; i < order.length; i++) order[i] = i % 5 === 1 && tested.length > 0 ? tested.shift()! : others.shift()!;
  const header = `time,${IMU_CHANNELS.map(({ name: channel, unit }) => `${channel}[${unit}]`).join(",")},label`;
  for (const [at, subject] of order.entries())
    for (const [k, recording] of selectRecordings({ recordings }, [subject]).entries()) {
      const lines = [header];
      for (let i = 0; i < recording.labels.length; i++) {
        const values = IMU_CHANNELS.map(({ countsPerUnit }, c) =>
          (recording.frames[i * recording.channels + c]! / countsPerUnit).toFixed(5),
        );
        lines.push(`${(i / 50).toFixed(2)},${values.join(",")},${name(recording.labels[i]!)}`);
      }
      writeFileSync(join(dir, `s${String(at + 1).padStart(2, "0")}_${k + 1}.csv`), `${lines.join("\n")}\n`);
    }
}
