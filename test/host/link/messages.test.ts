import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as layout from "../../../assembly/device/layout.ts";
import { RUNS_BYTES } from "../../../assembly/layout.ts";
import { LinkError } from "../../../host/core/system/errors.ts";
import { decodeAck, encodeAck } from "../../../host/link/ack.ts";
import { decodeAsk, encodeAnswer } from "../../../host/link/ask.ts";
import { encodeChunkAbort, encodeChunkBegin, encodeChunkData } from "../../../host/link/chunk.ts";
import { COMMANDS, decodeCommand, encodeCommand, OPTIONS } from "../../../host/link/command.ts";
import { decodeDecision } from "../../../host/link/decision.ts";
import { encodeFrame, FRAME_TYPES, type FrameType } from "../../../host/link/frame.ts";
import { decodeDeviceHello, decodeNodeHello, encodeNodeHello } from "../../../host/link/hello.ts";
import { decodeLog, LOG_TEXTS } from "../../../host/link/log.ts";
import { createDeviceReader, type DeviceMessage, readDeviceStream } from "../../../host/link/messages.ts";
import { createLinkWriter } from "../../../host/link/stream.ts";
import { COUNTERS, decodeTelemetry } from "../../../host/link/telemetry.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const names = Object.keys(layout);

describe("payloads", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.tuple(u32, u32, u32, u32), u32, fc.boolean(), fc.string({ maxLength: 16 }), (runs, time, newTicks, node) => {
        const hello = { runs, version: 1, newTicks, unixMillis: time * 1000, node };
        expect(decodeNodeHello(encodeNodeHello(hello))).toEqual({ ok: true, value: hello });
      }),
    );
    const types = fc.constantFrom(...(Object.keys(FRAME_TYPES) as FrameType[]));
    fc.assert(
      fc.property(fc.nat(0xffff), types, fc.nat(255), fc.integer(), u32, (sequence, type, credits, status, number) => {
        const ack = { sequence, type, credits, status, number };
        expect(decodeAck(encodeAck(ack))).toEqual({ ok: true, value: ack });
      }),
    );
    for (const verb of Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]) {
      if (verb !== "option") expect(decodeCommand(encodeCommand({ verb }))).toEqual({ ok: true, value: { verb } });
    }
    for (const option of Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]) {
      const command = { verb: "option", option, value: option === "hash" ? 1 : 4_000_000_000 } as const;
      expect(decodeCommand(encodeCommand(command))).toEqual({ ok: true, value: command });
    }
  });

  it("of any bytes are a value, never an exception", () => {
    const decoders = [decodeAck, decodeAsk, decodeCommand, decodeDecision, decodeDeviceHello, decodeNodeHello, decodeLog, decodeTelemetry];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const decode of decoders) expect(typeof decode(bytes).ok).toBe("boolean");
      }),
      { numRuns: 2000 },
    );
  });

  it("with a number out of every model's range are refused, sealed or not", () => {
    const decision = new Uint8Array(layout.DECISION_OUT_BYTES);
    expect(decodeDecision(decision).ok).toBe(true);
    for (const [word, value] of [
      [0, 256],
      [1, 8],
      [2, 32_769],
      [0, 0xffff_ffff],
    ] as const) {
      const evil = decision.slice();
      new DataView(evil.buffer).setUint32(4 * word, value, true);
      expect(decodeDecision(evil), `word ${word}`).toMatchObject({ ok: false });
    }
    const ask = new Uint8Array(layout.ASK_HEADER_BYTES);
    expect(decodeAsk(ask).ok).toBe(true);
    for (const [byte, value] of [
      [13, 129],
      [15, 8],
    ] as const) {
      expect(decodeAsk(Uint8Array.from(ask, (old, i) => (i === byte ? value : old))), `byte ${byte}`).toMatchObject({ ok: false });
    }
    const hello = new Uint8Array(layout.HELLO_OUT_BYTES + 5 * layout.HELLO_AGENT_BYTES);
    hello[RUNS_BYTES + 2] = 5;
    expect(decodeDeviceHello(hello)).toMatchObject({ ok: false });
  });

  it("that do not fit are refused before they leave", () => {
    expect(() => encodeNodeHello({ node: "n".repeat(65) })).toThrow(LinkError);
    expect(() => encodeCommand({ verb: "option", option: "hash", value: -1 })).toThrow(LinkError);
    for (const [option, value] of [
      ["hash", 2],
      ["snapshotTicks", 2999],
      ["snapshotTicks", 1],
    ] as const) {
      expect(() => encodeCommand({ verb: "option", option, value }), option).toThrow(LinkError);
    }
    expect(() => encodeChunkBegin(100, "12")).toThrow(LinkError);
    expect(() => encodeChunkData(8, new Uint8Array(16))).toThrow(LinkError);
    expect(() => encodeChunkData(0, new Uint8Array(240))).toThrow(LinkError);
    expect(encodeChunkAbort()[0]).toBe(layout.CHUNK_ABORT);
    expect(encodeAnswer({ number: 7, label: 3, confidenceQ15: 32_768 })).toEqual(Uint8Array.of(7, 0, 0, 0, 0, 128, 3, 0));
  });

  it("have a name for every code, counter and option of the layout", () => {
    const numbers = (prefix: RegExp) => names.filter((name) => prefix.test(name)).map((name) => (layout as Record<string, number>)[name]!);
    const code = /^LOG_(?!BYTES)/;
    expect(numbers(code).sort((a, b) => a - b)).toEqual(Object.keys(LOG_TEXTS).map(Number));
    expect(numbers(/^COUNTER_(?!WORDS)/)).toEqual(Object.values(COUNTERS));
    expect(numbers(/^OPTION_(?!WORDS)/)).toEqual(Object.values(OPTIONS));
    expect(numbers(/^COMMAND_(?!BYTES)/)).toEqual(Object.values(COMMANDS));
    expect(layout.COUNTER_WORDS).toBeGreaterThanOrEqual(Object.keys(COUNTERS).length);
    expect(layout.RECORD_OPTIONS).toBe(layout.RECORD_COUNTERS + 4 * layout.COUNTER_WORDS);
    expect(layout.RECORD_AGENTS).toBe(layout.RECORD_OPTIONS + 4 * layout.OPTION_WORDS);
    expect(layout.RECORD_AGENTS + layout.DEVICE_AGENTS * layout.RECORD_AGENT_BYTES).toBeLessThanOrEqual(layout.RECORD_BYTES);
  });
});

describe("a reader of what a device sends", () => {
  const log = (code: number) => {
    const payload = new Uint8Array(layout.LOG_BYTES);
    payload[0] = code;
    return payload;
  };

  it("joins fragments, and drops a message whose rest is missing", () => {
    const ask = new Uint8Array(layout.ASK_HEADER_BYTES + 40 * 24).fill(5);
    const view = new DataView(ask.buffer);
    view.setUint16(16, 40, true);
    view.setUint16(18, 24, true);
    const parts: Uint8Array[] = [];
    const writer = createLinkWriter((bytes) => parts.push(bytes));
    writer.message("ask", 1, ask);
    writer.message("log", 255, log(1));
    expect(readDeviceStream(Buffer.concat(parts)).messages).toMatchObject([
      { type: "ask", agent: 1, ask: { patchBytes: 24 } },
      { type: "log" },
    ]);
    const without = parts.filter((_, i) => i !== 2);
    const { messages, stats } = readDeviceStream(Buffer.concat(without));
    expect(messages.map(({ type }) => type)).toEqual(["log"]);
    expect(stats.lost).toBe(1);
    expect(stats.unread).toBeGreaterThan(0);
  });

  it("gives up a message that goes on and on without a byte in it", () => {
    const bad: string[] = [];
    const reader = createDeviceReader({ onMessage: () => {}, onBad: (reason) => bad.push(reason) });
    for (let sequence = 0; sequence < 20_000; sequence++)
      reader.push(encodeFrame({ type: "ask", sequence, agent: 0, more: true, payload: new Uint8Array() }));
    expect(bad).toEqual(Array(2).fill("a ask of more than 1048576 B or 8192 fragments"));
    expect(reader.stats()).toMatchObject({ frames: 20_000, lost: 0, unread: 2 });
  });

  it("takes any bytes and any sound frames, and counts what it cannot read", () => {
    const frame = fc.record({
      type: fc.constantFrom(...(Object.keys(FRAME_TYPES) as FrameType[])),
      sequence: fc.nat(0xffff),
      agent: fc.nat(255),
      more: fc.boolean(),
      payload: fc.uint8Array({ maxLength: 236 }),
    });
    const part = fc.oneof(fc.uint8Array({ maxLength: 300 }), frame.map(encodeFrame));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const messages: DeviceMessage[] = [];
        const reader = createDeviceReader({ onMessage: (message) => messages.push(message), onBad: () => {} });
        for (const bytes of parts) reader.push(bytes);
        reader.end();
        const { frames, unread } = reader.stats();
        expect(messages.length).toBeLessThanOrEqual(frames);
        expect(unread).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  it("sees a device that started again, and frames that were lost", () => {
    const at = (sequence: number) => encodeFrame({ type: "log", sequence, agent: 255, more: false, payload: log(1) });
    expect(readDeviceStream(Buffer.concat([at(7), at(8), at(0), at(1)])).stats.lost).toBe(0);
    expect(readDeviceStream(Buffer.concat([at(7), at(10)])).stats.lost).toBe(2);
  });
});
