import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkError } from "../../../host/core/system/errors.ts";
import { cobsDecode, cobsEncode } from "../../../host/link/cobs.ts";
import { crc16 } from "../../../host/link/crc16.ts";
import {
  decodeFrame,
  encodeFrame,
  FRAME_TYPES,
  type FrameType,
  type LinkFrame,
  MAX_PAYLOAD_BYTES,
  MAX_WIRE_BYTES,
} from "../../../host/link/frame.ts";
import { decodeSensor, encodeSensor, sensorFramesPerLinkFrame } from "../../../host/link/sensor.ts";
import { createLinkDecoder, createLinkWriter, readLinkStream } from "../../../host/link/stream.ts";

const runs = { numRuns: 2000 };
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const frames: fc.Arbitrary<LinkFrame> = fc.record({
  type: fc.constantFrom(...(Object.keys(FRAME_TYPES) as FrameType[])),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  agent: fc.integer({ min: 0, max: 255 }),
  more: fc.boolean(),
  payload: bytes(MAX_PAYLOAD_BYTES),
});
const plain = (frame: LinkFrame) => ({ ...frame, payload: [...frame.payload] });
const join = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

describe("COBS", () => {
  it("encodes the paper's cases", () => {
    const cases: [number[], number[]][] = [
      [[], [1]],
      [[0], [1, 1]],
      [
        [0, 0],
        [1, 1, 1],
      ],
      [
        [0x11, 0x22, 0, 0x33],
        [3, 0x11, 0x22, 2, 0x33],
      ],
      [
        [0x11, 0, 0, 0],
        [2, 0x11, 1, 1, 1],
      ],
    ];
    for (const [plainBytes, encoded] of cases) expect([...cobsEncode(Uint8Array.from(plainBytes))]).toEqual(encoded);
    const run = Array.from({ length: 254 }, (_, i) => i + 1);
    expect([...cobsEncode(Uint8Array.from(run))]).toEqual([255, ...run]);
    expect([...cobsEncode(Uint8Array.from([...run, 255]))]).toEqual([255, ...run, 2, 255]);
    expect([...cobsEncode(Uint8Array.from([0, ...run.slice(1)]))]).toEqual([1, 254, ...run.slice(1)]);
  });

  it("comes back, holds no zero and stays within its overhead", () => {
    fc.assert(
      fc.property(bytes(1200), (input) => {
        const encoded = cobsEncode(input);
        expect(encoded.includes(0)).toBe(false);
        expect(encoded.length).toBeLessThanOrEqual(input.length + 1 + Math.floor(input.length / 254));
        expect([...cobsDecode(encoded)!]).toEqual([...input]);
      }),
      runs,
    );
  });
});

describe("link frames", () => {
  it("has the catalogue's check value of CRC-16/CCITT-FALSE", () => {
    expect(crc16(new TextEncoder().encode("123456789"))).toBe(0x29b1);
    expect(crc16(new Uint8Array())).toBe(0xffff);
  });

  it("comes back whole in at most 244 bytes", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const wire = encodeFrame(frame);
        expect(wire.length).toBeLessThanOrEqual(MAX_WIRE_BYTES);
        expect(wire.indexOf(0)).toBe(wire.length - 1);
        const back = decodeFrame(wire.subarray(0, -1));
        expect(back.ok && plain(back.value)).toEqual(plain(frame));
      }),
      runs,
    );
    expect(
      encodeFrame({ type: "log", sequence: 0, agent: 0, more: false, payload: new Uint8Array(MAX_PAYLOAD_BYTES).fill(1) }),
    ).toHaveLength(MAX_WIRE_BYTES);
  });

  it("notices every single flipped bit", () => {
    const wire = encodeFrame({
      type: "ask",
      sequence: 513,
      agent: 1,
      more: false,
      payload: Uint8Array.from({ length: 60 }, (_, i) => i % 7),
    });
    for (let bit = 0; bit < 8 * (wire.length - 1); bit++) {
      const flipped = wire.slice(0, -1);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeFrame(flipped).ok).toBe(false);
    }
  });

  it("refuses fields that do not fit", () => {
    const frame: LinkFrame = { type: "log", sequence: 0, agent: 0, more: false, payload: new Uint8Array() };
    for (const bad of [{ sequence: 65_536 }, { agent: -1 }, { payload: new Uint8Array(237) }])
      expect(() => encodeFrame({ ...frame, ...bad })).toThrow(LinkError);
  });
});

describe("sensor payloads", () => {
  it("comes back for every count that fits", () => {
    expect(sensorFramesPerLinkFrame(6)).toBe(19);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 0, max: 0xffff_ffff }), fc.nat(), (channels, tick, seed) => {
        const count = 1 + (seed % sensorFramesPerLinkFrame(channels));
        const samples = Int16Array.from({ length: count * channels }, (_, i) => (i * 7919 + seed) | 0);
        expect(decodeSensor(encodeSensor({ tick, channels, samples }))).toEqual({ ok: true, value: { tick, channels, samples } });
      }),
      runs,
    );
    expect(() => encodeSensor({ tick: 0, channels: 6, samples: new Int16Array(7) })).toThrow(LinkError);
    expect(() => encodeSensor({ tick: 0, channels: 6, samples: new Int16Array(120) })).toThrow(LinkError);
  });

  it("reads any bytes as a value", () => {
    fc.assert(
      fc.property(bytes(300), (input) => {
        const result = decodeSensor(input);
        if (result.ok) expect([...encodeSensor(result.value)]).toEqual([...input]);
      }),
      runs,
    );
  });
});

describe("link streams", () => {
  it("finds every frame however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), (sent, step) => {
        const stream = join(sent.map(encodeFrame));
        const got: LinkFrame[] = [];
        const decoder = createLinkDecoder({ onFrame: (frame) => got.push(frame) });
        for (let at = 0; at < stream.length; at += step) decoder.push(stream.subarray(at, at + step));
        decoder.end();
        expect(got.map(plain)).toEqual(sent.map(plain));
        expect(decoder.stats()).toEqual({ frames: sent.length, bad: 0, badBytes: 0 });
      }),
      { numRuns: 1000 },
    );
  });

  it("survives noise of any kind and goes on with the next whole frame", () => {
    fc.assert(
      fc.property(bytes(2000), frames, (noise, frame) => {
        const { frames: got, stats } = readLinkStream(join([noise, Uint8Array.of(0), encodeFrame(frame)]));
        expect(plain(got.at(-1)!)).toEqual(plain(frame));
        expect(stats.badBytes).toBeLessThanOrEqual(noise.length);
      }),
      runs,
    );
  });

  it("counts a frame cut off at the end as bad", () => {
    const wire = encodeFrame({ type: "log", sequence: 1, agent: 255, more: false, payload: Uint8Array.of(1, 2) });
    for (let cut = 1; cut < wire.length - 1; cut++)
      expect(readLinkStream(wire.subarray(0, cut)).stats).toMatchObject({ frames: 0, bad: 1, badBytes: cut });
  });

  it("writes recordings with a counting sequence, long messages in fragments", () => {
    const parts: Uint8Array[] = [];
    const writer = createLinkWriter((part) => parts.push(part));
    const samples = Int16Array.from({ length: 6 * 50 }, (_, i) => i - 150);
    writer.sensor(0, 4_294_967_290, 6, samples);
    const long = Uint8Array.from({ length: 500 }, (_, i) => i);
    writer.message("ask", 2, long);
    const { frames: got, stats } = readLinkStream(join(parts));
    expect(stats).toMatchObject({ frames: 6, bad: 0 });
    expect(got.map((frame) => frame.sequence)).toEqual([0, 1, 2, 3, 4, 5]);
    const sensors = got.slice(0, 3).map((frame) => decodeSensor(frame.payload));
    expect(sensors.flatMap((part) => (part.ok ? [...part.value.samples] : []))).toEqual([...samples]);
    expect(sensors.map((part) => part.ok && part.value.tick)).toEqual([4_294_967_290, 13, 32]); // the tick wraps
    expect(got.slice(3).map((frame) => frame.more)).toEqual([true, true, false]);
    expect(join(got.slice(3).map((frame) => frame.payload))).toEqual(long);
  });
});
