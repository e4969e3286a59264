import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/device/layout.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { deviceModule } from "../../../../host/firmware/emulate/device-module.ts";
import { makeStore } from "../../../../host/firmware/emulate/device-store.ts";
import { hostDecisions } from "../../../../host/firmware/emulate/host-decisions.ts";
import { makeLinkStream, stretchFrames } from "../../../../host/firmware/emulate/link-stream.ts";
import { replayDevice } from "../../../../host/firmware/emulate/replay-device.ts";
import { encodeCommand } from "../../../../host/link/command.ts";
import { encodeSetPoint } from "../../../../host/link/decision.ts";
import { encodeNodeHello } from "../../../../host/link/hello.ts";
import { readDeviceStream } from "../../../../host/link/messages.ts";
import { createLinkWriter } from "../../../../host/link/stream.ts";
import { activity, activityImage, decisionsOf, fall, fallImage, only, quiet, wearer } from "../../../support/device.ts";
import { seeded } from "../../../support/random.ts";

const DEVICE = layout.LINK_DEVICE;
const stretches = wearer(3, 1500);
const stream = makeLinkStream(stretches, { setPoint: quiet(activity) });

function written(write: (writer: ReturnType<typeof createLinkWriter>) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  write(createLinkWriter((bytes) => parts.push(bytes)));
  return Buffer.concat(parts);
}

describe("device.wasm", () => {
  it("imports eight functions of WASI, and exports what a board calls", () => {
    const imports = WebAssembly.Module.imports(deviceModule()).map(({ module, name }) => `${module}.${name}`);
    const names = "fd_pread fd_pwrite fd_read fd_sync fd_write path_open poll_oneoff proc_exit";
    expect(imports.sort()).toEqual(names.split(" ").map((name) => `wasi_snapshot_preview1.${name}`));
    const exports = WebAssembly.Module.exports(deviceModule()).map(({ name }) => name);
    expect(exports.sort()).toEqual("_start isAsleep memory memoryUsedBytes runs setImage setMemory setStore".split(" "));
  });

  it("contains no heap: the debug build never names the allocator", () => {
    expect(readFileSync(join(packageRoot(), "dist", "device-debug.wat"), "utf8")).not.toContain("~lib/rt/stub/__new");
  });

  it("gives the same bytes for the same stream: from a store, from flash, from its firmware, with a memory that just suffices", () => {
    const host = hostDecisions(activity, stretchFrames(stretches), quiet(activity));
    const grown = replayDevice({ stream, store: makeStore([activityImage]) });
    expect(decisionsOf(readDeviceStream(grown.output).messages)).toEqual(host);
    const memoryBytes = grown.memoryUsedBytes;
    expect(memoryBytes).toBeLessThan(32_768);
    const mapped = replayDevice({ stream, store: makeStore([activityImage]), memoryBytes, flashSectorBytes: 4096 });
    expect(mapped.output).toEqual(grown.output);
    const linked = replayDevice({ stream, factory: [activityImage], memoryBytes });
    expect(decisionsOf(readDeviceStream(linked.output).messages)).toEqual(host);
  });

  it("says how much memory is missing, and goes on answering, where an image does not fit", () => {
    const { messages } = readDeviceStream(replayDevice({ stream, store: makeStore([activityImage]), memoryBytes: 16_384 }).output);
    const log = only(messages, "log").find(({ log }) => log.code === layout.LOG_NO_MEMORY)!;
    expect(log.log.value).toBeGreaterThan(0);
    expect(log.log.value).toBeLessThanOrEqual(activity.arenaBytes);
    expect(only(messages, "hello").at(-1)!.hello.agents).toMatchObject([{ slot: "none", start: "none" }]);
    expect(decisionsOf(messages)).toEqual([]);
  });

  it("runs two agents on the same frames, each with its own image, arena and set-point", () => {
    const both = written((writer) => {
      writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
      writer.message("command", DEVICE, encodeCommand({ verb: "option", option: "hash", value: 1 }));
      writer.message("set-point", 0, encodeSetPoint(quiet(activity)));
      writer.message("set-point", 1, encodeSetPoint(quiet(fall)));
      writer.sensor(DEVICE, 0, 6, stretches[0]!.samples);
    });
    const { messages } = readDeviceStream(replayDevice({ stream: both, store: makeStore([activityImage, fallImage]) }).output);
    const of = (agent: number) => decisionsOf(messages.filter((message) => message.agent === agent));
    expect(
      only(messages, "hello")
        .at(-1)!
        .hello.agents.map(({ imageHash }) => imageHash),
    ).toEqual([activity.imageHash, fall.imageHash]);
    expect(of(0)).toEqual(hostDecisions(activity, stretchFrames(stretches), quiet(activity)));
    expect(of(1)).toEqual(hostDecisions(fall, stretchFrames(stretches), quiet(fall)));
  });

  it("refuses a set-point that the image does not take, and keeps the one in force", () => {
    const bad = written((writer) => {
      writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
      writer.message("set-point", 0, encodeSetPoint({ ...quiet(activity), maxExit: 9 }));
      writer.message("set-point", 3, encodeSetPoint(quiet(activity)));
      writer.message("set-point", 0, new Uint8Array(12));
    });
    const { messages } = readDeviceStream(replayDevice({ stream: bad, store: makeStore([activityImage]) }).output);
    expect(only(messages, "ack").map(({ ack }) => ack.status)).toEqual([-60, layout.ACK_NO_AGENT, layout.ACK_BAD_PAYLOAD]);
  });

  it("saves and asks for a reboot by its exit code", () => {
    const reboot = written((writer) => writer.message("command", DEVICE, encodeCommand({ verb: "reboot" })));
    const store = makeStore([activityImage]);
    const replay = replayDevice({ stream: Buffer.concat([stream, reboot]), store });
    expect(replay.exitCode).toBe(layout.DEVICE_REBOOT);
    expect(only(readDeviceStream(replay.output).messages, "ack").at(-1)).toMatchObject({ ack: { type: "command", status: 0 } });
    const again = readDeviceStream(replayDevice({ stream: new Uint8Array(), store }).output).messages;
    expect(only(again, "hello")).toMatchObject([{ hello: { boots: 2, agents: [{ start: "restored" }] } }]);
  });

  it("begins anew when the ticks do, and not before", () => {
    const twice = (newTicks: boolean) =>
      written((writer) => {
        writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
        writer.message("set-point", 0, encodeSetPoint(quiet(activity)));
        writer.sensor(DEVICE, 5000, 6, stretches[0]!.samples);
        writer.message("hello", DEVICE, encodeNodeHello({ node: "test", newTicks }));
        writer.sensor(DEVICE, 0, 6, stretches[0]!.samples);
      });
    const run = (newTicks: boolean) =>
      readDeviceStream(replayDevice({ stream: twice(newTicks), store: makeStore([activityImage]) }).output);
    const once = hostDecisions(activity, stretchFrames(stretches), quiet(activity)).length;
    expect(decisionsOf(run(false).messages)).toHaveLength(once);
    expect(decisionsOf(run(true).messages)).toHaveLength(2 * once);
    expect(only(run(true).messages, "log").map(({ log }) => log.code)).toContain(layout.LOG_TICKS_RESTARTED);
  });

  it("takes the board's own sensor frames without sequence or credits", () => {
    const payloads = written((writer) => {
      writer.message("hello", DEVICE, encodeNodeHello({ node: "test" }));
      writer.message("set-point", 0, encodeSetPoint(quiet(activity)));
      writer.sensor(DEVICE, 0, 6, stretches[0]!.samples, "local-sensor");
    });
    const { messages } = readDeviceStream(replayDevice({ stream: payloads, store: makeStore([activityImage]) }).output);
    expect(decisionsOf(messages).map(({ hash: _, ...decision }) => decision)).toEqual(
      hostDecisions(activity, stretchFrames(stretches), quiet(activity)).map(({ hash: _, ...decision }) => decision),
    );
    expect(only(messages, "ack").filter(({ ack }) => ack.type !== "set-point")).toEqual([]);
  });
});

describe("any bytes on the link", () => {
  const hello = Buffer.concat([Uint8Array.of(0), written((writer) => writer.message("hello", DEVICE, encodeNodeHello({ node: "after" })))]);
  const store = makeStore([activityImage], { snapshotBytes: activity.arenaBytes });
  const lives = (noise: Uint8Array) => {
    const replay = replayDevice({ stream: Buffer.concat([noise, hello]), store: store.slice() });
    if (replay.exitCode === layout.DEVICE_REBOOT) return; // the noise was a command
    const last = readDeviceStream(replay.output).messages.findLast((message) => message.type === "hello");
    expect(replay.exitCode).toBe(0);
    expect(last).toMatchObject({ hello: { agents: [{ imageHash: activity.imageHash }] } });
  };

  it("never trap the device, and it answers a hello after them", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), lives), { numRuns: 300 });
  });

  it("in sound frames of any type and payload neither", () => {
    const types = ["hello", "sensor", "set-point", "command", "answer", "chunk", "ack", "local-sensor", "decision", "ask", "log"] as const;
    const payload = fc.oneof(fc.uint8Array({ maxLength: 236 }), fc.uint8Array({ minLength: 64, maxLength: 64 }), smallNumbers());
    const message = fc.tuple(fc.constantFrom(...types), fc.oneof(fc.constantFrom(0, 1, 255), fc.nat(255)), payload);
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) =>
        lives(
          written((writer) => {
            for (const [type, agent, bytes] of messages) writer.message(type, agent, bytes);
          }),
        ),
      ),
      { numRuns: 500 },
    );
  });

  it("in a store neither: any header, journal, snapshot or slot", () => {
    const random = seeded(9);
    const saved = store.slice();
    const save = written((writer) => writer.message("command", DEVICE, encodeCommand({ verb: "snapshot" })));
    replayDevice({ stream: Buffer.concat([stream, save]), store: saved });
    for (let i = 0; i < 150; i++) {
      const spoilt = saved.slice();
      const flips = 1 + Math.floor(random() * 20);
      const within = i % 3 === 0 ? 64 : i % 3 === 1 ? 3 * 4096 : spoilt.length;
      for (let k = 0; k < flips; k++) spoilt[Math.floor(random() * within)]! ^= 1 << Math.floor(random() * 8);
      const replay = replayDevice({ stream: Buffer.concat([stream.subarray(0, 20_000), hello]), store: spoilt });
      expect(replay.exitCode).toBe(0);
      expect(readDeviceStream(replay.output).messages.findLast((message) => message.type === "hello")).toBeDefined();
    }
  });
});

/** Payloads whose words are small: more of them mean something. */
function smallNumbers(): fc.Arbitrary<Uint8Array> {
  return fc.array(fc.nat(40), { maxLength: 59 }).map((words) => new Uint8Array(Int32Array.from(words).buffer));
}
