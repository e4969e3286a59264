import { describe, expect, it } from "vitest";
import * as layout from "../../../assembly/device/layout.ts";
import { makeStore } from "../../../host/firmware/emulate/device-store.ts";
import { hostDecisions } from "../../../host/firmware/emulate/host-decisions.ts";
import { stretchFrames } from "../../../host/firmware/emulate/link-stream.ts";
import { replayDevice } from "../../../host/firmware/emulate/replay-device.ts";
import { createLinkClient, type LinkClientOptions } from "../../../host/link/client.ts";
import type { DeviceMessage } from "../../../host/link/messages.ts";
import { sensorFramesPerLinkFrame } from "../../../host/link/sensor.ts";
import { activity, activityImage, cutFrames, decisionsOf, fall, fallImage, only, quiet, wearer } from "../../support/device.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { seeded } from "../../support/random.ts";

type Fault = "lose" | "repeat" | "spoil" | undefined;

/** A client and a device with a wire between them. What the device sends is a function of what it got, so each step replays it. */
class Wire {
  readonly clock = new ManualClock();
  readonly messages: DeviceMessage[] = [];
  readonly client;
  mostUnderWay = 0;
  readonly #store: Uint8Array;
  readonly #fault: (frame: Uint8Array) => Fault;
  #input: Uint8Array[] = [];
  #waiting: Uint8Array[] = []; // written since the last step
  #heard = 0; // bytes of the device's output

  constructor(fault: (frame: Uint8Array) => Fault = () => undefined, more: Partial<LinkClientOptions> = {}) {
    this.#fault = fault;
    this.#store = makeStore([activityImage], { snapshotBytes: activity.arenaBytes });
    this.client = createLinkClient({
      clock: this.clock,
      node: "test",
      write: (bytes) => this.#waiting.push(bytes.slice()),
      onMessage: (message) => this.messages.push(message),
      ...more,
    });
  }

  /** Lets bytes and time pass until it is done. */
  async until<T>(done: Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    void done.then((value) => {
      result = { value };
    });
    for (let step = 0; result === undefined; step++) {
      if (step > 5000) throw new Error("the link stands still");
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
      if (this.#waiting.length === 0) this.clock.advance(100);
      this.#pass();
    }
    return result.value;
  }

  #pass(): void {
    const written = this.#waiting.splice(0);
    this.mostUnderWay = Math.max(this.mostUnderWay, written.filter((frame) => frame.length > 1).length);
    for (const frame of written) this.#input.push(...this.#carried(frame));
    if (written.length === 0) return;
    const { output } = replayDevice({ stream: Buffer.concat(this.#input), store: this.#store.slice() });
    const news = output.subarray(this.#heard);
    this.#heard = output.length;
    for (const frame of cutFrames(news)) for (const part of this.#carried(frame)) this.client.receive(part);
  }

  #carried(frame: Uint8Array): Uint8Array[] {
    const fault = this.#fault(frame);
    if (fault === "lose") return [];
    if (fault === "repeat") return [frame, frame];
    if (fault !== "spoil") return [frame];
    const spoilt = frame.slice();
    if (spoilt.length > 3) spoilt[2] = (spoilt[2]! % 255) + 1;
    return [spoilt];
  }
}

const stretch = wearer(31, 640)[0]!;

/** One frame in five is lost, repeated or spoilt, both ways. */
function bad(seed: number): (frame: Uint8Array) => Fault {
  const random = seeded(seed);
  return () => (random() < 0.8 ? undefined : (["lose", "repeat", "spoil"] as const)[Math.floor(random() * 3)]);
}

describe("a link client", () => {
  it("greets, sets, commands and feeds a device, never more frames ahead than its credits", async () => {
    const wire = new Wire();
    const hello = await wire.until(wire.client.hello({ newTicks: true }));
    expect(hello).toMatchObject({ ok: true, value: { agents: [{ imageHash: activity.imageHash }] } });
    expect(await wire.until(wire.client.command(layout.LINK_DEVICE, { verb: "option", option: "hash", value: 1 }))).toMatchObject({
      ok: true,
    });
    expect(await wire.until(wire.client.setPoint(0, quiet(activity)))).toMatchObject({ ok: true, value: { status: 0 } });
    await wire.until(wire.client.sensor(layout.LINK_DEVICE, 0, 6, stretch.samples));
    await wire.until(wire.client.command(layout.LINK_DEVICE, { verb: "telemetry" }));
    expect(decisionsOf(wire.messages)).toEqual(hostDecisions(activity, stretchFrames([stretch]), quiet(activity)));
    expect(wire.mostUnderWay).toBeLessThanOrEqual(layout.LINK_CREDITS);
    expect(wire.client.stats()).toMatchObject({ bad: 0, lost: 0, resent: 0, queued: 0 });
  });

  it("gets every message through, once, on a wire that loses, repeats and spoils a fifth of the frames", async () => {
    let resent = 0;
    for (const seed of [1, 2, 3, 4, 5]) {
      const wire = new Wire(bad(seed));
      expect(await wire.until(wire.client.hello())).toMatchObject({ ok: true });
      for (let i = 0; i < 6; i++)
        expect(await wire.until(wire.client.command(255, { verb: "snapshot" }))).toMatchObject({ ok: true, value: { status: 0 } });
      await wire.until(wire.client.sensor(255, 0, 6, stretch.samples));
      while (only(wire.messages, "telemetry").length === 0) await wire.until(wire.client.command(255, { verb: "telemetry" }));
      expect(only(wire.messages, "telemetry").at(-1)!.telemetry.counters.saves).toBe(6);
      resent += wire.client.stats().resent;
      wire.client.close();
    }
    expect(resent).toBeGreaterThan(5);
  });

  it("brings an image over such a wire, whole", async () => {
    const wire = new Wire(bad(4));
    await wire.until(wire.client.hello());
    expect(await wire.until(wire.client.update(0, fallImage))).toMatchObject({ ok: true, value: { status: 0 } });
    expect(await wire.until(wire.client.hello())).toMatchObject({
      ok: true,
      value: { agents: [{ imageHash: fall.imageHash, slot: "b" }] },
    });
  });

  it("says why an update was refused", async () => {
    const wire = new Wire();
    await wire.until(wire.client.hello());
    expect(await wire.until(wire.client.update(0, new Uint8Array(65_536)))).toEqual({
      ok: false,
      reason: `the device refused the update with status ${layout.ACK_TOO_BIG}`,
    });
    expect(await wire.until(wire.client.setPoint(2, quiet(activity)))).toMatchObject({ ok: true, value: { status: layout.ACK_NO_AGENT } });
  });

  it("takes asks over once its owner has them, and the device keeps none", async () => {
    const asks: number[] = [];
    const wire = new Wire(undefined, {
      onAsk: ({ ask }) => {
        asks.push(ask.number);
        return true;
      },
    });
    await wire.until(wire.client.hello());
    const eager = { ...quiet(activity), askAllowed: true, maxExit: 0, thresholds: [32_769] };
    await wire.until(wire.client.setPoint(0, eager));
    await wire.until(wire.client.sensor(255, 0, 6, stretch.samples));
    await wire.until(wire.client.command(255, { verb: "telemetry" }));
    expect(new Set(asks).size).toBe(10);
    expect(only(wire.messages, "telemetry").at(-1)!.telemetry).toMatchObject({
      asksKept: 0,
      counters: { asks: 10, asksTaken: 10, asksDropped: 0 },
    });
  });

  it("takes frames whole or not at all when its queue is full, and rejects once", async () => {
    const client = createLinkClient({ clock: new ManualClock(), node: "test", write: () => undefined });
    const perFrame = sensorFramesPerLinkFrame(6);
    const left = client.sensor(255, 0, 6, new Int16Array(4000 * perFrame * 6));
    const { queued } = client.stats();
    const more = client.sensor(255, 4000 * perFrame, 6, new Int16Array(200 * perFrame * 6)); // a rejection that nobody awaits would end the process
    await expect(more).rejects.toMatchObject({ code: "LINK_QUEUE_FULL" });
    expect(client.stats().queued).toBe(queued);
    client.close();
    await left;
  });

  it("gives up on a dead wire with a reason, in bounded time, and leaves no timer behind", async () => {
    const wire = new Wire(() => "lose");
    expect(await wire.until(wire.client.hello())).toEqual({ ok: false, reason: "the device did not answer 8 hellos" });
    expect(await wire.until(wire.client.command(255, { verb: "wake" }))).toMatchObject({ ok: false });
    await wire.until(wire.client.sensor(255, 0, 6, stretch.samples)); // unacknowledged frames are given up
    const last = wire.client.command(255, { verb: "wake" });
    wire.client.close();
    const closed = { ok: false, reason: "the link was closed" };
    expect(await last).toEqual(closed);
    expect(await wire.client.hello()).toEqual(closed);
    expect(await wire.client.command(255, { verb: "wake" })).toEqual(closed);
    expect(wire.clock.timers).toBe(0);
  });
});
