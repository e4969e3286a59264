import { describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/device/layout.ts";
import { makeStore } from "../../../../host/firmware/emulate/device-store.ts";
import { hostDecisions } from "../../../../host/firmware/emulate/host-decisions.ts";
import { replayDevice } from "../../../../host/firmware/emulate/replay-device.ts";
import { encodeAck } from "../../../../host/link/ack.ts";
import { encodeAnswer } from "../../../../host/link/ask.ts";
import { encodeCommand } from "../../../../host/link/command.ts";
import { encodeSetPoint } from "../../../../host/link/decision.ts";
import { encodeNodeHello } from "../../../../host/link/hello.ts";
import { type DeviceMessage, readDeviceStream } from "../../../../host/link/messages.ts";
import { createLinkWriter, type LinkWriter } from "../../../../host/link/stream.ts";
import { activity, activityImage, decisionsOf, only, quiet, wearer } from "../../../support/device.ts";
import { seeded } from "../../../support/random.ts";

const DEVICE = layout.LINK_DEVICE;
const { samples } = wearer(8, 6000)[0]!;
const part = (from: number, to: number) => samples.subarray(6 * from, 6 * to);
/** Asks at every decision. */
const eager = { ...quiet(activity), askAllowed: true, maxExit: 0, thresholds: [32_769, 32_769, 32_769, 32_769] };

/** What a device answers to what is written. */
function told(write: (writer: LinkWriter) => void): readonly DeviceMessage[] {
  const parts: Uint8Array[] = [];
  const writer = createLinkWriter((bytes) => parts.push(bytes));
  writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
  writer.message("set-point", 0, encodeSetPoint(eager));
  write(writer);
  writer.message("command", DEVICE, encodeCommand({ verb: "telemetry" }));
  return readDeviceStream(replayDevice({ stream: Buffer.concat(parts), store: makeStore([activityImage]) }).output).messages;
}

const option = (writer: LinkWriter, name: "stillVariance" | "wakeVariance" | "notWornTicks" | "telemetryTicks", value: number) =>
  writer.message("command", DEVICE, encodeCommand({ verb: "option", option: name, value }));
const taken = (writer: LinkWriter, number: number) =>
  writer.message("ack", 0, encodeAck({ sequence: 0, type: "ask", credits: 0, status: 0, number }));
const last = (messages: readonly DeviceMessage[]) => only(messages, "telemetry").at(-1)!.telemetry;

describe("asks", () => {
  it("carry the context that the session has, oldest patch first", () => {
    const messages = told((writer) => writer.sensor(DEVICE, 0, 6, part(0, 640)));
    const session = activity.createSession();
    session.setPoint(eager);
    const contexts: Int8Array[] = [];
    for (let i = 0; i < 640; i++) if (session.pushFrame(part(i, i + 1), i).decision !== undefined) contexts.push(session.context());
    const fresh = [...new Map(only(messages, "ask").map(({ ask }) => [ask.number, ask])).values()];
    expect(fresh.map(({ patches }) => patches)).toEqual(contexts);
    const decisions = decisionsOf(messages);
    expect(fresh.map(({ tick, label, confidenceQ15, exit }) => ({ tick, label, confidenceQ15, exit }))).toEqual(
      decisions.map(({ tick, label, confidenceQ15, exit }) => ({ tick, label, confidenceQ15, exit })),
    );
  });

  it("are kept until they are taken, at most two, and what gives way is counted and said", () => {
    const messages = told((writer) => writer.sensor(DEVICE, 0, 6, part(0, 640)));
    expect(last(messages)).toMatchObject({ asksKept: layout.DEVICE_ASKS, counters: { asks: 10, asksDropped: 8, asksTaken: 0 } });
    expect(only(messages, "log").filter(({ log }) => log.code === layout.LOG_ASK_DROPPED)).toHaveLength(8);
  });

  it("are gone once the gateway acknowledges or answers them, and an answer to none is refused", () => {
    const first = only(
      told((writer) => writer.sensor(DEVICE, 0, 6, part(0, 128))),
      "ask",
    ).map(({ ask }) => ask.number);
    const messages = told((writer) => {
      writer.sensor(DEVICE, 0, 6, part(0, 128));
      taken(writer, first[0]!);
      writer.message("answer", 0, encodeAnswer({ number: first[1]!, label: 2, confidenceQ15: 30_000 }));
      writer.message("answer", 0, encodeAnswer({ number: 12, label: 2, confidenceQ15: 30_000 }));
    });
    expect(last(messages)).toMatchObject({ asksKept: 0, counters: { asks: 2, asksDropped: 0, asksTaken: 2, answers: 1 } });
    expect(only(messages, "ack").map(({ ack }) => ack.status)).toContain(layout.ACK_UNKNOWN_ASK);
  });

  it("go out again at a hello and at growing intervals, and expire when nobody takes them", () => {
    const once = (writer: LinkWriter) => {
      writer.sensor(DEVICE, 0, 6, part(0, 64)); // one decision, one ask
      writer.message("set-point", 0, encodeSetPoint({ ...eager, askAllowed: false }));
    };
    const again = told((writer) => {
      once(writer);
      writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
    });
    expect(only(again, "ask").map(({ ask }) => ask)).toHaveLength(2);
    expect(only(again, "ask")[0]!.ask).toEqual(only(again, "ask")[1]!.ask);
    const alone = told((writer) => {
      once(writer);
      writer.sensor(DEVICE, 64, 6, part(64, 4000));
    });
    expect(only(alone, "ask").length).toBeGreaterThan(3);
    expect(only(alone, "ask").length).toBeLessThan(8);
    expect(last(alone)).toMatchObject({ asksKept: 0, counters: { asks: 1, asksExpired: 1, asksTaken: 0 } });
  });
});

describe("messages that are done once", () => {
  it("are acknowledged again when they are repeated, and not done again", () => {
    const parts: Uint8Array[] = [];
    createLinkWriter((bytes) => parts.push(bytes)).message("command", DEVICE, encodeCommand({ verb: "snapshot" }));
    const { messages } = readDeviceStream(
      replayDevice({ stream: Buffer.concat([...parts, ...parts, ...parts]), store: makeStore([activityImage]) }).output,
    );
    expect(only(messages, "ack")).toHaveLength(3);
    expect(only(messages, "log").filter(({ log }) => log.code === layout.LOG_SAVED)).toHaveLength(1);
  });
});

describe("a device that is not worn", () => {
  const random = seeded(15);
  /** On a table: gravity and a count of noise. */
  const table = Int16Array.from({ length: 6 * 2000 }, (_, i) => (i % 6 === 2 ? 2048 : 0) + Math.round(random() * 2 - 1));

  it("sleeps after so long without motion, wakes by motion, and says both", () => {
    const messages = told((writer) => {
      option(writer, "notWornTicks", 800);
      writer.sensor(DEVICE, 0, 6, part(0, 480));
      writer.sensor(DEVICE, 480, 6, table);
      writer.sensor(DEVICE, 2480, 6, part(480, 1440));
    });
    const logs = only(messages, "log").map(({ log }) => log);
    const asleep = logs.find(({ code }) => code === layout.LOG_NOT_WORN)!;
    const awake = logs.find(({ code }) => code === layout.LOG_WORN)!;
    expect(asleep.tick).toBe(480 + 800 - 1);
    expect(asleep.value).toBe(800);
    expect(awake.tick).toBeGreaterThanOrEqual(2480);
    expect(awake.tick).toBeLessThan(2480 + 64);
    const ticks = decisionsOf(messages).map(({ tick }) => tick);
    expect(ticks.filter((tick) => tick > asleep.tick && tick < awake.tick)).toEqual([]);
    expect(last(messages)).toMatchObject({ isAsleep: false, counters: { sleeps: 1, slept: awake.tick - asleep.tick } });
    // From there on it decides as a session that saw the same frames.
    const seen = (function* () {
      for (let tick = 0; tick < 3440; tick++) {
        if (tick >= asleep.tick && tick < awake.tick) continue;
        const frame =
          tick < 480
            ? part(tick, tick + 1)
            : tick < 2480
              ? table.subarray(6 * (tick - 480), 6 * (tick - 479))
              : part(tick - 2000, tick - 1999);
        yield { tick, frame };
      }
    })();
    expect(decisionsOf(messages).map(({ hash: _, ...decision }) => decision)).toEqual(
      hostDecisions(activity, seen, eager).map(({ hash: _, ...decision }) => decision),
    );
  });

  it("counts only frames that came one after the other: an outage, new ticks and late frames are no stillness", () => {
    const newTicks = encodeNodeHello({ node: "test", newTicks: true });
    const still = (frames: number) => table.subarray(0, 6 * frames);
    const later: readonly ((writer: LinkWriter) => void)[] = [
      (writer) => writer.sensor(DEVICE, 160 + 10_000, 6, still(304)), // 200 s of it never came
      (writer) => writer.sensor(DEVICE, 162, 6, still(304)), // two lost
      (writer) => writer.sensor(DEVICE, 40, 6, still(304)), // came late
      (writer) => {
        writer.message("hello", DEVICE, newTicks);
        writer.sensor(DEVICE, 160, 6, still(304));
      },
    ];
    for (const more of later) {
      const logs = told((writer) => {
        option(writer, "notWornTicks", 320);
        writer.sensor(DEVICE, 0, 6, still(160));
        more(writer);
      });
      expect(only(logs, "log").filter(({ log }) => log.code === layout.LOG_NOT_WORN)).toEqual([]);
    }
    const one = told((writer) => {
      option(writer, "notWornTicks", 320);
      writer.sensor(DEVICE, 0, 6, still(160));
      writer.sensor(DEVICE, 161, 6, still(160)); // one lost
    });
    expect(only(one, "log").find(({ log }) => log.code === layout.LOG_NOT_WORN)?.log).toMatchObject({ tick: 320, value: 320 });
  });

  it("wakes at once, and each time, when a command or the board's motion interrupt says so", () => {
    const interrupt = (writer: LinkWriter) => writer.message("local-sensor", DEVICE, new Uint8Array(layout.SENSOR_HEADER_BYTES));
    const command = (writer: LinkWriter) => writer.message("command", DEVICE, encodeCommand({ verb: "wake" }));
    for (const wake of [interrupt, command]) {
      const messages = told((writer) => {
        option(writer, "notWornTicks", 320);
        for (let round = 0; round < 2; round++) {
          writer.sensor(DEVICE, 960 * round, 6, table.subarray(0, 6 * 640));
          wake(writer);
          writer.sensor(DEVICE, 960 * round + 640, 6, part(0, 320));
        }
      });
      const woken = only(messages, "log").filter(({ log }) => log.code === layout.LOG_WORN);
      expect(woken.map(({ log }) => ({ tick: log.tick, value: log.value }))).toEqual([
        { tick: 639, value: 1 },
        { tick: 1599, value: 1 },
      ]);
      expect(decisionsOf(messages).at(-1)!.tick).toBe(1919);
    }
  });

  it("never falls asleep while it is worn, or when that is switched off", () => {
    for (const still of [layout.MOTION_STILL_VARIANCE, 0]) {
      const messages = told((writer) => {
        option(writer, "notWornTicks", 160);
        option(writer, "stillVariance", still);
        writer.sensor(DEVICE, 0, 6, still === 0 ? table : samples);
      });
      expect(last(messages)).toMatchObject({ isAsleep: false, counters: { sleeps: 0, slept: 0 } });
    }
  });

  it("tells its board through isAsleep", () => {
    const parts: Uint8Array[] = [];
    const writer = createLinkWriter((bytes) => parts.push(bytes));
    option(writer, "notWornTicks", 320);
    writer.sensor(DEVICE, 0, 6, table.subarray(0, 6 * 640));
    const run = (stream: Uint8Array) => replayDevice({ stream, store: makeStore([activityImage]) }).isAsleep;
    expect(run(Buffer.concat(parts.slice(0, 3)))).toBe(false);
    expect(run(Buffer.concat(parts))).toBe(true);
  });
});
