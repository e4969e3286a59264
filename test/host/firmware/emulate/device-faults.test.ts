import { describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/device/layout.ts";
import { HEADER_KINDS, MODEL_BLOCKS, SECTION_MODEL, STATUS_BAD_CONFIG, STATUS_UNKNOWN_BLOCK_KIND } from "../../../../assembly/layout.ts";
import { readSections } from "../../../../host/core/image/image-header.ts";
import { imageHash, sealImage } from "../../../../host/core/image/image-read.ts";
import { makeStore } from "../../../../host/firmware/emulate/device-store.ts";
import { hostDecisions } from "../../../../host/firmware/emulate/host-decisions.ts";
import { makeLinkStream, stretchFrames } from "../../../../host/firmware/emulate/link-stream.ts";
import { replayDevice } from "../../../../host/firmware/emulate/replay-device.ts";
import { cutIntoChunks } from "../../../../host/link/chunk.ts";
import { encodeCommand } from "../../../../host/link/command.ts";
import { encodeSetPoint } from "../../../../host/link/decision.ts";
import { encodeNodeHello } from "../../../../host/link/hello.ts";
import { readDeviceStream } from "../../../../host/link/messages.ts";
import { createLinkWriter, type LinkWriter } from "../../../../host/link/stream.ts";
import { activity, activityImage, cutFrames, decisionsOf, fall, fallImage, only, quiet, wearer } from "../../../support/device.ts";
import { seeded } from "../../../support/random.ts";

const DEVICE = layout.LINK_DEVICE;
const FLASH = { flashSectorBytes: 4096, memoryBytes: 32_768 }; // as on a board: mapped, erased by sectors
const shape = { slotBytes: activityImage.length, snapshotBytes: activity.arenaBytes };

function written(write: (writer: LinkWriter) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  write(createLinkWriter((bytes) => parts.push(bytes)));
  return Buffer.concat(parts);
}

const update = (image: Uint8Array, hash = imageHash(image)) =>
  written((writer) => {
    for (const chunk of cutIntoChunks(image, hash)) writer.message("chunk", 0, chunk);
  });
const hello = written((writer) => writer.message("hello", DEVICE, encodeNodeHello({ node: "test" })));
const runs = (stream: Uint8Array, store: Uint8Array, powerBytes?: number) =>
  replayDevice({ stream, store, ...FLASH, ...(powerBytes === undefined ? {} : { powerBytes }) });
const agentOf = (stream: Uint8Array, store: Uint8Array) =>
  only(readDeviceStream(runs(stream, store).output).messages, "hello").at(-1)!.hello.agents[0]!;
const stretches = wearer(4, 400);
const decides = (store: Uint8Array) => {
  const { messages } = readDeviceStream(runs(makeLinkStream(stretches, { setPoint: quiet(activity) }), store).output);
  expect(decisionsOf(messages)).toEqual(hostDecisions(activity, stretchFrames(stretches), quiet(activity)));
};

describe("an update", () => {
  const stream = update(fallImage);

  it("cut at every chunk and at 100 random bytes leaves the old image, and the next update still works", () => {
    const store = makeStore([activityImage], shape);
    const random = seeded(12);
    const ends: number[] = [];
    let at = 0;
    for (const frame of cutFrames(stream)) {
      at += frame.length;
      ends.push(at);
    }
    ends.pop(); // whole
    for (const cut of [...ends, ...Array.from({ length: 100 }, () => Math.floor(random() * ends.at(-1)!))]) {
      runs(stream.subarray(0, cut), store);
      expect(agentOf(hello, store), `cut at ${cut}`).toMatchObject({ imageHash: activity.imageHash, status: 0 });
    }
    decides(store);
    runs(stream, store);
    expect(agentOf(hello, store)).toMatchObject({ imageHash: fall.imageHash, slot: "b" });
    runs(update(activityImage), store);
    expect(agentOf(hello, store)).toMatchObject({ imageHash: activity.imageHash, slot: "a" });
    decides(store);
  });

  it("survives a power cut at any byte that it writes: the old image before the journal's record, the new one after", () => {
    const fresh = makeStore([activityImage], shape);
    const record = layout.RECORD_BYTES;
    const total = fallImage.length + 2 * record; // the start's record, the image, the record that makes the change; a restart's record follows
    const random = seeded(13);
    const cuts = [
      ...Array.from({ length: 120 }, () => Math.floor(random() * total)),
      ...Array.from({ length: 33 }, (_, i) => total - record + 16 * i),
      ...Array.from({ length: 17 }, (_, i) => total - 16 + i),
    ];
    for (const powerBytes of cuts) {
      const store = fresh.slice();
      expect(runs(stream, store, powerBytes).isCut).toBe(true);
      const isNew = powerBytes >= total;
      expect(agentOf(hello, store), `cut at ${powerBytes} of ${total}`).toMatchObject({ imageHash: (isNew ? fall : activity).imageHash });
    }
  });

  it("of one agent leaves the other's state, its own asks are counted as dropped", () => {
    const store = makeStore([activityImage, activityImage], { ...shape, snapshotBytes: activity.arenaBytes });
    const before = written((writer) => {
      writer.message("set-point", 1, encodeSetPoint(quiet(activity)));
      writer.message("set-point", 0, encodeSetPoint({ ...quiet(activity), maxExit: 0, askAllowed: true, thresholds: [32_769] }));
      writer.sensor(DEVICE, 0, 6, stretches[0]!.samples.subarray(0, 6 * 130));
      for (const chunk of cutIntoChunks(fallImage, fall.imageHash)) writer.message("chunk", 0, chunk);
      writer.sensor(DEVICE, 130, 6, stretches[0]!.samples.subarray(6 * 130));
      writer.message("command", DEVICE, encodeCommand({ verb: "telemetry" }));
    });
    const { messages } = readDeviceStream(replayDevice({ stream: before, store, flashSectorBytes: 4096, memoryBytes: 65_536 }).output);
    expect(only(messages, "hello").at(-1)!.hello.agents).toMatchObject([
      { imageHash: fall.imageHash, start: "fresh" },
      { imageHash: activity.imageHash, start: "restored" },
    ]);
    const second = decisionsOf(messages.filter(({ agent }) => agent === 1)).map(({ hash: _, ...decision }) => decision);
    const host = hostDecisions(activity, stretchFrames(stretches), quiet(activity)).map(({ hash: _, ...decision }) => decision);
    expect(second).toEqual(host);
    const { counters, asksKept } = only(messages, "telemetry").at(-1)!.telemetry;
    expect(counters).toMatchObject({ updates: 1, boots: 2, asksTaken: 0, asksExpired: 0 });
    expect(counters.asksDropped).toBeGreaterThanOrEqual(2);
    expect(counters.asks).toBe(counters.asksDropped + asksKept);
  });

  it("goes on where it was when the chunks come again, and says which offset is wanted", () => {
    const payloads = cutIntoChunks(fallImage, fall.imageHash);
    const twice = written((writer) => {
      for (const chunk of payloads.slice(0, 30)) writer.message("chunk", 0, chunk);
      writer.message("chunk", 0, payloads[0]!);
      writer.message("chunk", 0, payloads[40]!);
      for (const chunk of payloads.slice(20)) writer.message("chunk", 0, chunk);
    });
    const store = makeStore([activityImage], shape);
    const acks = only(readDeviceStream(runs(twice, store).output).messages, "ack").map(({ ack }) => ack);
    const offset = 29 * layout.CHUNK_DATA_BYTES;
    expect(acks[30]).toMatchObject({ status: 0, number: offset });
    expect(acks[31]).toMatchObject({ status: layout.ACK_CHUNK_OFFSET, number: offset });
    expect(acks.at(-1)).toMatchObject({ status: 0 });
    expect(agentOf(hello, store)).toMatchObject({ imageHash: fall.imageHash });
  });

  it("is refused by name: too big, a wrong hash, an image that prepare refuses, a block kind it does not run, no store, no such agent", () => {
    const otherKind = fallImage.slice();
    otherKind[HEADER_KINDS]! |= 8;
    sealImage(otherKind);
    const broken = fallImage.slice();
    broken[readSections(fallImage).get(SECTION_MODEL)!.offset + 4 * MODEL_BLOCKS] = 0;
    sealImage(broken);
    const store = makeStore([activityImage], shape);
    const last = (stream: Uint8Array, hasStore = true) => {
      const replay = replayDevice({ stream, factory: [activityImage], ...(hasStore ? { store, ...FLASH } : {}) });
      return only(readDeviceStream(replay.output).messages, "ack").at(-1)!.ack.status;
    };
    expect(last(update(fallImage, "00".repeat(32)))).toBe(layout.ACK_BAD_HASH);
    expect(last(update(otherKind))).toBe(STATUS_UNKNOWN_BLOCK_KIND);
    expect(last(update(broken))).toBe(STATUS_BAD_CONFIG);
    const big = written((writer) => writer.message("chunk", 0, cutIntoChunks(new Uint8Array(65_536), "00".repeat(32))[0]!));
    expect(last(big)).toBe(layout.ACK_TOO_BIG);
    expect(last(update(fallImage), false)).toBe(layout.ACK_NO_UPDATE); // its begin was refused: no store
    const elsewhere = written((writer) => writer.message("chunk", 3, cutIntoChunks(fallImage, fall.imageHash)[0]!));
    expect(last(elsewhere)).toBe(layout.ACK_NO_AGENT);
    expect(agentOf(hello, store)).toMatchObject({ imageHash: activity.imageHash });
  });
});

describe("saving", () => {
  const save = (frames: number, from = 0) =>
    written((writer) => {
      writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
      writer.message("set-point", 0, encodeSetPoint(quiet(activity)));
      writer.sensor(DEVICE, from, 6, stretches[0]!.samples.subarray(from * 6, (from + frames) * 6));
      writer.message("command", DEVICE, encodeCommand({ verb: "snapshot" }));
    });

  it("survives a power cut at any byte: the state is restored from the newest whole snapshot, or begins anew and says so", () => {
    const store = makeStore([activityImage], shape);
    runs(save(100), store); // one whole snapshot
    const random = seeded(14);
    const starts = new Set<string>();
    for (let i = 0; i < 120; i++) {
      const cut = store.slice();
      const powerBytes = Math.floor(random() * 20_000);
      runs(save(100, 100), cut, powerBytes);
      starts.add(agentOf(hello, cut).start);
    }
    expect([...starts]).toEqual(["restored"]);
    const bare = makeStore([activityImage], shape);
    runs(save(100), bare, 5000);
    expect(agentOf(hello, bare)).toMatchObject({ start: "refused", status: -61 });
  });

  it("wraps its journal and its two snapshots for ever, counters and set-points kept", () => {
    const store = makeStore([activityImage], shape);
    for (let i = 0; i < 40; i++) runs(save(40, 0), store);
    const asked = written((writer) => writer.message("command", DEVICE, encodeCommand({ verb: "telemetry" })));
    const { messages } = readDeviceStream(runs(asked, store).output);
    expect(only(messages, "telemetry")[0]!.telemetry.counters).toMatchObject({ boots: 41, saves: 40, frames: 1600 });
    expect(only(messages, "hello")[0]!.hello.agents[0]!.start).toBe("restored");
  });

  it("refuses the snapshot of another image and says so", () => {
    const store = makeStore([activityImage], shape);
    runs(save(100), store);
    runs(update(fallImage), store);
    const { messages } = readDeviceStream(runs(hello, store).output);
    expect(only(messages, "hello")[0]!.hello.agents[0]).toMatchObject({ start: "refused", imageHash: fall.imageHash });
    expect(only(messages, "log").map(({ log }) => log.code)).toContain(layout.LOG_SNAPSHOT_REFUSED);
  });
});
