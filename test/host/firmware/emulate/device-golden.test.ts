import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { makeStore } from "../../../../host/firmware/emulate/device-store.ts";
import { replayDevice } from "../../../../host/firmware/emulate/replay-device.ts";
import { readDeviceStream } from "../../../../host/link/messages.ts";
import { goldenStream } from "../../../golden/device-stream.ts";

const golden = (name: string) => new Uint8Array(readFileSync(join(packageRoot(), "test", "golden", name)));

describe("device.wasm over tiny.dmm", () => {
  it("reads and writes the bytes that every version of this link does", () => {
    const stream = golden("device.dls");
    expect(Buffer.from(goldenStream()).equals(stream), "the host writes device.dls").toBe(true);
    const { output } = replayDevice({ stream, store: makeStore([golden("tiny.dmm")], { snapshotBytes: 4096 }) });
    expect(Buffer.from(output).equals(golden("device-out.dls")), "the device answers device-out.dls").toBe(true);
  });

  it("says in that output what the stream has: decisions, held frames, a reset, sleep, a save", () => {
    const { messages } = readDeviceStream(golden("device-out.dls"));
    const types = new Set(messages.map((message) => (message.type === "log" ? message.log.text.slice(0, 12) : message.type)));
    expect([...types].sort()).toMatchInlineSnapshot(`
      [
        "ack",
        "an ask gave ",
        "ask",
        "decision",
        "frames were ",
        "hello",
        "not worn, th",
        "saved state,",
        "started with",
        "telemetry",
        "worn again; ",
      ]
    `);
    const telemetry = messages.findLast((message) => message.type === "telemetry");
    expect(telemetry).toMatchObject({
      telemetry: { counters: { frames: 396, held: 4, linkBad: 1, sleeps: 1, saves: 1, linkLost: 0 } },
    });
  });
});
