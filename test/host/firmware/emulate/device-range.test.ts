import { describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/device/layout.ts";
import { crc32 } from "../../../../host/core/arithmetic/crc32.ts";
import { deviceModule } from "../../../../host/firmware/emulate/device-module.ts";
import { makeStore, storeGeometry } from "../../../../host/firmware/emulate/device-store.ts";
import { encodeCommand } from "../../../../host/link/command.ts";
import { encodeNodeHello } from "../../../../host/link/hello.ts";
import { readDeviceStream } from "../../../../host/link/messages.ts";
import { createLinkWriter, type LinkWriter } from "../../../../host/link/stream.ts";
import { activity, activityImage, only, wearer } from "../../../support/device.ts";
import { putRecord, wireFrame } from "../../../support/evil-device.ts";
import { runReplay } from "../../../support/wasi-runtimes.ts";

const DEVICE = layout.LINK_DEVICE;
const NEVER = 0xffff_ffff;
const shape = { agents: 1, slotBytes: activityImage.length, snapshotBytes: activity.arenaBytes };
const geometry = storeGeometry(shape);
const samples = wearer(3, 400)[0]!.samples;

const written = (write: (writer: LinkWriter) => void): Uint8Array => {
  const parts: Uint8Array[] = [];
  write(createLinkWriter((bytes) => parts.push(bytes)));
  return Buffer.concat(parts);
};
const asked = written((writer) => {
  writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
  writer.message("command", DEVICE, encodeCommand({ verb: "telemetry" }));
});
const setOption = (key: number, value: number) => new Uint8Array(Uint32Array.of(layout.COMMAND_OPTION, key, value).buffer);

/** A store whose only journal record is sealed and says this. */
function storeOf(fill: (view: DataView) => void, sequence = 1): Uint8Array {
  const store = makeStore([activityImage], shape);
  putRecord(store, geometry.journalOffset(0), sequence, fill);
  return store;
}
const start = (store: Uint8Array, stream = asked) => {
  const run = runReplay(stream, store);
  return { ...run, messages: readDeviceStream(run.output).messages };
};
const logsOf = (messages: ReturnType<typeof start>["messages"], code: number) =>
  only(messages, "log").filter(({ log }) => log.code === code);

/** `total` frames whose ticks go up by `step`. */
function leaping(total: number, step: number, before: (writer: LinkWriter) => void = () => {}): Uint8Array {
  return written((writer) => {
    before(writer);
    for (let i = 0; i < total; i++) writer.sensor(DEVICE, i * step, 6, samples.subarray(6 * (i % 400), 6 * ((i % 400) + 1)));
  });
}

describe("a sealed record of the journal", () => {
  it.each([3, 255, 0x7fff_ffff, 0x8000_0000, NEVER])("that names slot %i starts the image in slot A", (slot) => {
    const { messages } = start(storeOf((view) => view.setUint32(layout.RECORD_AGENTS, slot, true)));
    expect(only(messages, "hello")[0]!.hello.agents).toMatchObject([{ slot: "a", status: 0 }]);
  });

  it("with options out of their ranges leaves those at their defaults and takes the others", () => {
    const store = storeOf((view) => {
      for (let key = 0; key < layout.OPTION_WORDS; key++) view.setUint32(layout.RECORD_OPTIONS + 4 * key, 1, true);
      view.setUint32(layout.RECORD_OPTIONS + 4 * layout.OPTION_HASH, 7, true);
    });
    const run = start(store);
    const record = new DataView(run.store.buffer, run.store.byteOffset + geometry.journalOffset(0) + layout.RECORD_BYTES);
    const kept = Array.from({ length: layout.OPTION_WORDS }, (_, key) => record.getUint32(layout.RECORD_OPTIONS + 4 * key, true));
    expect(kept).toEqual([0, 1, layout.PERIOD_SNAPSHOT_TICKS, 1, 1, 1, 0, 0]);
  });

  it("at the last sequence is followed by one that counts", () => {
    const first = start(storeOf((view) => view.setUint32(layout.RECORD_COUNTERS, 41, true), NEVER));
    const second = start(first.store);
    expect([first, second].map(({ messages }) => only(messages, "hello")[0]!.hello.boots)).toEqual([42, 43]);
  });

  it("with every counter at its end leaves them there, but for the boots, which begin anew", () => {
    const store = storeOf((view) => {
      for (let i = 0; i < layout.COUNTER_WORDS; i++) view.setUint32(layout.RECORD_COUNTERS + 4 * i, NEVER, true);
    });
    const { counters } = only(start(store, Buffer.concat([leaping(40, 3), asked])).messages, "telemetry")[0]!.telemetry;
    expect(counters).toMatchObject({ boots: 0, frames: NEVER, held: NEVER, linkFrames: NEVER, saves: NEVER });
  });

  it("leaves numbers of asks, of records and of lost ticks positive in the log", () => {
    const run = start(
      storeOf(() => {}, 0x9000_0000),
      written((writer) => writer.message("command", DEVICE, encodeCommand({ verb: "snapshot" }))),
    );
    expect(logsOf(run.messages, layout.LOG_SAVED)[0]!.log.value).toBe(0x9000_0002);
  });
});

describe("a sealed snapshot area", () => {
  it("at the last sequence gives way to the next save", () => {
    const save = (tick: number) =>
      written((writer) => {
        writer.sensor(DEVICE, tick, 6, samples.subarray(0, 600));
        writer.message("command", DEVICE, encodeCommand({ verb: "snapshot" }));
      });
    const { store } = start(makeStore([activityImage], shape), save(0));
    const area = Buffer.from(store.buffer, store.byteOffset + geometry.snapshotOffset(0, 0), layout.AREA_HEADER_BYTES);
    area.writeUInt32LE(NEVER, 4);
    area.writeUInt32LE(crc32(area.subarray(0, 12)), 12);
    const sequences = (bytes: Uint8Array) =>
      [0, 1].map((which) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(geometry.snapshotOffset(0, which) + 4, true));
    const second = start(store, save(100));
    expect(sequences(second.store)).toEqual([NEVER, 1]);
    const third = start(second.store, save(200));
    expect(sequences(third.store)).toEqual([2, 1]);
    expect(only(start(third.store).messages, "hello")[0]!.hello.agents[0]!.start).toBe("restored");
  });
});

describe("a sealed header of the store", () => {
  it.each([
    [
      "longer than the file",
      (words: Uint32Array) =>
        words.fill(words[layout.STORE_JOURNAL_BYTES]! + 4096, layout.STORE_JOURNAL_BYTES, layout.STORE_JOURNAL_BYTES + 1),
    ],
    ["of 2 GiB", (words: Uint32Array) => words.fill(2 ** 30, layout.STORE_JOURNAL_BYTES, layout.STORE_JOURNAL_BYTES + 1)],
  ])("%s is refused before memory is asked for, and no factory image suffers", (_, change) => {
    const store = makeStore([activityImage], shape);
    const words = new Uint32Array(store.buffer, store.byteOffset, layout.STORE_HEADER_WORDS);
    const before = 2 * words[layout.STORE_JOURNAL_BYTES]!;
    change(words);
    words[layout.STORE_BYTES]! += 2 * words[layout.STORE_JOURNAL_BYTES]! - before;
    words[layout.STORE_CRC32] = crc32(new Uint8Array(words.buffer, words.byteOffset, 4 * layout.STORE_CRC32));
    const { messages } = start(store);
    expect(logsOf(messages, layout.LOG_STORE_FAILED)[0]!.log.value).toBe(-1);
    expect(only(messages, "telemetry")[0]!.telemetry.memoryUsedBytes).toBeLessThan(65_536);
  });
});

describe("an option frame", () => {
  const status = (key: number, value: number) =>
    only(start(makeStore([activityImage], shape), wireFrame(layout.LINK_COMMAND, 0, DEVICE, setOption(key, value))).messages, "ack")[0]!.ack
      .status;

  it("below the floor of snapshotTicks is refused, 0 and the floor are taken", () => {
    const values = [1, layout.SNAPSHOT_TICKS_MIN - 1, layout.SNAPSHOT_TICKS_MIN, 0, NEVER];
    expect(values.map((value) => status(layout.OPTION_SNAPSHOT_TICKS, value))).toEqual([-89, -89, 0, 0, 0]);
    expect(() => encodeCommand({ verb: "option", option: "snapshotTicks", value: 2999 })).toThrow(/3000/);
  });

  it("of a key that there is not is refused", () => {
    expect([6, 7, 8, NEVER].map((key) => status(key, 1))).toEqual([-89, -89, -89, -89]);
  });

  it("at the floor lets 3,000 frames a save pass, however far their ticks leap", () => {
    const floor = (writer: LinkWriter) =>
      writer.message("command", DEVICE, encodeCommand({ verb: "option", option: "snapshotTicks", value: layout.SNAPSHOT_TICKS_MIN }));
    const { messages } = start(makeStore([activityImage], shape), leaping(6500, 3000, floor));
    expect(logsOf(messages, layout.LOG_SAVED)).toHaveLength(2);
  });
});

// Half a minute of one core: every night.
const isNightly = process.env.DORMOUSE_NIGHTLY === "1";

if (isNightly)
  describe("a link that babbles", () => {
    it("2^31 bytes without a delimiter, and then speaks, is answered", () => {
      const store = makeStore([activityImage], shape);
      const stop = Buffer.concat([Uint8Array.of(0), asked]);
      let left = 2 ** 31 + 4096;
      let at = 0;
      const output: Uint8Array[] = [];
      const memory = () => (instance.exports.memory as WebAssembly.Memory).buffer;
      const vector = (iovs: number) => {
        const view = new DataView(memory());
        return new Uint8Array(memory(), view.getUint32(iovs, true), view.getUint32(iovs + 4, true));
      };
      const done = (to: number, bytes: number) => {
        new DataView(memory()).setUint32(to, bytes, true);
        return 0;
      };
      let isNoise = false;
      const wasi = {
        fd_read(_fd: number, iovs: number, _count: number, to: number) {
          if (left > 0) {
            if (!isNoise) vector(iovs).fill(1); // nobody else writes there
            isNoise = true;
            left -= 256;
            return done(to, 256);
          }
          const bytes = vector(iovs);
          const some = stop.subarray(at, at + bytes.length);
          bytes.set(some);
          at += some.length;
          return done(to, some.length);
        },
        fd_write(_fd: number, iovs: number, _count: number, to: number) {
          output.push(vector(iovs).slice());
          return done(to, output.at(-1)!.length);
        },
        fd_pread(_fd: number, iovs: number, _count: number, offset: bigint, to: number) {
          const bytes = vector(iovs);
          bytes.set(store.subarray(Number(offset), Number(offset) + bytes.length));
          return done(to, bytes.length);
        },
        fd_pwrite: (_fd: number, iovs: number, _count: number, _offset: bigint, to: number) => done(to, vector(iovs).length),
        path_open: (...args: unknown[]) => done(args.at(-1) as number, 4),
        fd_sync: () => 0,
        poll_oneoff: () => 0,
        proc_exit: () => {},
      };
      const instance = new WebAssembly.Instance(deviceModule(), { wasi_snapshot_preview1: wasi });
      (instance.exports._start as () => void)();
      const { counters } = only(readDeviceStream(Buffer.concat(output)).messages, "telemetry")[0]!.telemetry;
      expect(counters).toMatchObject({ linkBad: 1, linkBadBytes: 2 ** 31 - 1 });
    });
  });
