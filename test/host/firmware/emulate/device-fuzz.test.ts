import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/device/layout.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { replayDevice } from "../../../../host/firmware/emulate/replay-device.ts";
import { encodeCommand } from "../../../../host/link/command.ts";
import { readDeviceStream } from "../../../../host/link/messages.ts";
import { createLinkWriter } from "../../../../host/link/stream.ts";
import { randomImage } from "../../../golden/random-image.ts";
import { type EvilModel, EvilSender, evilStore, freshStore } from "../../../support/evil-device.ts";
import { seeded } from "../../../support/random.ts";
import { runBrowserShim, runNodeWasi, runReplay, type WasiRun } from "../../../support/wasi-runtimes.ts";

/** Frames in all, and in one run: every run has a store of its own. */
const FRAMES = Number(process.env.DORMOUSE_FUZZ ?? 20_000);
const RUN_FRAMES = 400;
const runs = Math.ceil(FRAMES / RUN_FRAMES);

const random = seeded(Number(process.env.DORMOUSE_SEED ?? 22));
const model = (seed: number, channels: number, pattern: string): EvilModel => {
  const image = randomImage(seed, {
    channels,
    pattern,
    nClasses: 4,
    ringPatches: 6,
    contextPatches: 24,
    windowPatches: 16,
    patchFrames: 4,
  });
  return { image: writeImage(image), channels, exits: image.exits.length };
};
const tiny = new Uint8Array(readFileSync(join(packageRoot(), "test", "golden", "tiny.dmm")));
const pairs: readonly EvilModel[][] = [
  [{ image: tiny, channels: 3, exits: 2 }, model(3, 3, "SA")],
  [model(5, 6, "ASS"), model(6, 3, "AA")],
  [model(7, 6, "SSS"), model(8, 6, "SAS")],
];

/** A store with two sound snapshots of each agent. */
function savedStore(models: readonly EvilModel[]): Uint8Array {
  const store = freshStore(models);
  const parts: Uint8Array[] = [];
  const writer = createLinkWriter((bytes) => parts.push(bytes));
  for (let save = 0; save < 2; save++) {
    for (const { channels } of models) {
      writer.sensor(
        layout.LINK_DEVICE,
        100 * save,
        channels,
        Int16Array.from({ length: 90 * channels }, () => Math.round((random() - 0.5) * 6000)),
      );
    }
    writer.message("command", layout.LINK_DEVICE, encodeCommand({ verb: "snapshot" }));
  }
  const { output } = replayDevice({ stream: Buffer.concat(parts), store });
  expect(readDeviceStream(output).messages.filter(({ type }) => type === "decision").length).toBeGreaterThan(2);
  return store;
}

describe(`device.wasm over ${runs * RUN_FRAMES} sealed but evil frames, every store record evil and every counter near its end`, {
  timeout: 60_000 + FRAMES * 20,
}, () => {
  it("never traps, answers the last hello, and gives the same bytes under every WASI runtime", () => {
    const saved = pairs.map((models) => savedStore(models));
    const starts = new Map<string, number>();
    const types = new Map<string, number>();
    const note = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    for (let run = 0; run < runs; run++) {
      const models = pairs[run % pairs.length]!;
      const store = evilStore(random, models, saved[run % pairs.length]!);
      const sender = new EvilSender(random, models);
      const isReboot = random() < 0.2;
      const stream = Buffer.concat([sender.stream(RUN_FRAMES), sender.hello(), ...(isReboot ? [sender.reboot()] : [])]);
      const first = guarded(run, () => runReplay(stream, store));
      expect(first.exitCode, `run ${run}`).toBe(isReboot ? layout.DEVICE_REBOOT : 0);
      const { messages } = readDeviceStream(first.output);
      const hellos = messages.filter((message) => message.type === "hello");
      for (const { hello } of hellos.slice(0, 1)) for (const { start } of hello.agents) note(starts, start);
      for (const { type } of messages) note(types, type);
      const last = messages.findLastIndex(({ type }) => type === "hello");
      expect(last, `run ${run}`).toBeGreaterThan(messages.length - 20);
      for (const other of [runNodeWasi, runBrowserShim])
        same(
          guarded(run, () => other(stream, store)),
          first,
          `run ${run}, ${other.name}`,
        );
      // what it wrote is sound for the next start
      expect(guarded(run, () => runReplay(sender.hello(), first.store)).exitCode).toBe(0);
    }
    // the evil reached what it aims at: states restored and refused, decisions, asks, saves
    for (const start of ["restored", "refused"]) expect(starts.get(start), start).toBeGreaterThan(0);
    for (const type of ["decision", "ask", "ack", "telemetry", "log"]) expect(types.get(type), type).toBeGreaterThan(runs);
  });
});

function guarded(run: number, work: () => WasiRun): WasiRun {
  try {
    return work();
  } catch (cause) {
    throw new Error(`run ${run} ended in ${cause}`, { cause });
  }
}

function same(run: WasiRun, expected: WasiRun, what: string): void {
  expect(run.exitCode, what).toBe(expected.exitCode);
  expect(Buffer.compare(run.output, expected.output), `${what}: output`).toBe(0);
  expect(Buffer.compare(run.store, expected.store), `${what}: store`).toBe(0);
}
