import { afterEach, describe, expect, it } from "vitest";
import * as layout from "../../assembly/device/layout.ts";
import { hostDecisions } from "../../host/firmware/emulate/host-decisions.ts";
import { makeLinkStream, stretchFrames } from "../../host/firmware/emulate/link-stream.ts";
import type { DeviceTransport } from "../../host/firmware/emulate/run-device.ts";
import { cutIntoChunks } from "../../host/link/chunk.ts";
import { type DeviceCommand, encodeCommand } from "../../host/link/command.ts";
import { encodeNodeHello } from "../../host/link/hello.ts";
import { createLinkWriter, type LinkWriter } from "../../host/link/stream.ts";
import { activity, activityImage, cutFrames, DeviceRun, decisionsOf, fall, fallImage, only, quiet, wearer } from "../support/device.ts";
import { seeded } from "../support/random.ts";

/** A place where device.wasm runs: under node:wasi, in an emulator. */
export interface DevicePlace {
  /** A device whose store carries the image in slot A of agent 0; slots hold the largest image of the package, two snapshots the largest state. */
  open(image: Uint8Array): Promise<PoweredDevice>;
}

export interface PoweredDevice {
  /** Power on, or a reset: the store is as the last run left it. The run before was killed or has ended. */
  start(): Promise<DeviceTransport>;
  close(): Promise<void>;
}

export interface DeviceSuiteOptions {
  /** Every n-th chunk of an update is a cut. Default 1: all of them. */
  readonly cutEvery?: number;
  /** Cuts at random bytes of an update. Default 100. */
  readonly randomCuts?: number;
  /** Frames of the longer runs. Default 2000. */
  readonly frames?: number;
  /** Milliseconds for one test. Default 60000. */
  readonly timeoutMillis?: number;
}

const DEVICE = layout.LINK_DEVICE;

/** Frames for one link: a sequence that goes on from stream to stream. */
class Sender {
  #parts: Uint8Array[] = [];
  readonly writer: LinkWriter = createLinkWriter((bytes) => this.#parts.push(bytes));

  /** What was written since the last call, and the sequence of its last frame. */
  take(): { readonly stream: Uint8Array; readonly last: number } {
    return { stream: Buffer.concat(this.#parts.splice(0)), last: (this.writer.sequence - 1) & 0xffff };
  }

  hello(newTicks = false): this {
    this.writer.message("hello", DEVICE, encodeNodeHello({ node: "suite", newTicks }));
    return this;
  }

  command(command: DeviceCommand): this {
    this.writer.message("command", DEVICE, encodeCommand(command));
    return this;
  }
}

/** One suite over every place that runs a device: what it decides, and what it survives. */
export function deviceSuite(name: string, place: DevicePlace, options: DeviceSuiteOptions = {}): void {
  const { cutEvery = 1, randomCuts = 100, frames: frameCount = 2000, timeoutMillis = 60_000 } = options;

  describe(name, { timeout: timeoutMillis }, () => {
    const open: { run: DeviceRun | undefined; device: PoweredDevice | undefined } = { run: undefined, device: undefined };
    const start = async (image = activityImage) => {
      open.device ??= await place.open(image);
      open.run = new DeviceRun(await open.device.start());
      return open.run;
    };
    afterEach(async () => {
      await open.run?.kill();
      await open.device?.close();
      open.run = undefined;
      open.device = undefined;
    });

    const stretches = wearer(11, frameCount);
    const setPoint = quiet(activity);
    const stream = makeLinkStream(stretches, { setPoint });
    const expected = hostDecisions(activity, stretchFrames(stretches), setPoint);

    it("says which image it runs, and answers every hello", async () => {
      const run = await start();
      const first = await run.until("hello");
      expect(first.hello).toMatchObject({ version: layout.LINK_VERSION, credits: layout.LINK_CREDITS, boots: 1 });
      expect(first.hello.agents).toMatchObject([{ imageHash: activity.imageHash, start: "fresh", status: 0 }]);
      const { stream: hellos } = new Sender().hello().hello().take();
      await run.feed(hellos);
      await run.until("hello");
      await run.until("hello");
    });

    it("decides as the host does, logits and state bit for bit", async () => {
      const run = await start();
      await run.feed(stream);
      await run.until("decision", ({ decision }) => decision.tick === expected.at(-1)!.tick);
      expect(decisionsOf(run.messages)).toEqual(expected);
    });

    it("survives garbage and half frames between sound ones, and counts them", async () => {
      const random = seeded(5);
      const run = await start();
      let stretchesOfNoise = 0;
      for (const frame of cutFrames(stream)) {
        if (random() < 0.2) {
          // Noise without a delimiter would spoil the frame after it; senders begin with one after silence.
          const noise = Uint8Array.from({ length: 1 + Math.floor(random() * 400) }, () => 1 + Math.floor(random() * 255));
          const half = frame.subarray(0, Math.floor(frame.length / 2));
          run.write(Buffer.concat([random() < 0.5 ? noise : half, Uint8Array.of(0)]));
          stretchesOfNoise++;
        }
        await run.feed(frame);
      }
      const sender = new Sender();
      sender.hello().command({ verb: "telemetry" });
      await run.feed(sender.take().stream);
      const { telemetry } = await run.until("telemetry", (message) => message.telemetry.counters.linkBad > 0);
      expect(decisionsOf(run.messages)).toEqual(expected);
      expect(telemetry.counters.linkBad).toBe(stretchesOfNoise);
    });

    it("holds, resets and ignores lost, repeated and late frames as the core does", async () => {
      const random = seeded(6);
      const sender = new Sender();
      const sent: { tick: number; frame: Int16Array }[] = [];
      const samples = stretches[0]!.samples;
      sender.hello().command({ verb: "option", option: "hash", value: 1 }).command({ verb: "option", option: "stillVariance", value: 0 });
      let tick = 0;
      const send = (at: number, count: number) => {
        const some = samples.subarray(at * 6, (at + count) * 6);
        sender.writer.sensor(DEVICE, at, 6, some);
        for (let i = 0; i * 6 < some.length; i++) sent.push({ tick: at + i, frame: some.subarray(i * 6, (i + 1) * 6) });
      };
      while (tick + 16 <= frameCount) {
        if (random() < 0.1) tick += 1 + Math.floor(random() * 14); // lost: held, or beyond the limit
        if (random() < 0.1 && tick > 20) send(tick - 16, 16); // repeated, late
        send(Math.min(tick, frameCount - 16), 16);
        tick += 16;
      }
      const host = hostDecisions(activity, sent);
      sender.command({ verb: "telemetry" });
      const run = await start();
      await run.feed(sender.take().stream);
      const { telemetry } = await run.until("telemetry", (message) => message.telemetry.counters.frames === sent.length);
      expect(decisionsOf(run.messages)).toEqual(host);
      expect(telemetry.counters.held).toBeGreaterThan(0);
      expect(telemetry.counters.resets).toBeGreaterThan(0);
      expect(telemetry.counters.ignored).toBeGreaterThan(0);
    });

    it("takes over a new image once it is whole, and keeps it", async () => {
      const run = await start();
      const sender = new Sender();
      sender.hello();
      for (const chunk of cutIntoChunks(fallImage, fall.imageHash)) sender.writer.message("chunk", 0, chunk);
      const { stream: update, last } = sender.take();
      await run.feed(update);
      const end = await run.until("ack", ({ ack }) => ack.type === "chunk" && ack.sequence === last);
      expect(end.ack.status).toBe(0);
      expect((await run.until("hello")).hello.agents).toMatchObject([{ imageHash: fall.imageHash, slot: "b" }]);
      await run.kill();
      const again = await start();
      expect((await again.until("hello")).hello.agents).toMatchObject([{ imageHash: fall.imageHash, slot: "b" }]);
      const fallPoint = quiet(fall);
      await again.feed(makeLinkStream(stretches, { setPoint: fallPoint }));
      const host = hostDecisions(fall, stretchFrames(stretches), fallPoint);
      await again.until("decision", ({ decision }) => decision.tick === host.at(-1)!.tick);
      expect(decisionsOf(again.messages)).toEqual(host);
    });

    it("keeps the old image wherever an update is cut", async () => {
      const sender = new Sender();
      sender.hello();
      const ends = cutIntoChunks(fallImage, fall.imageHash).map((chunk) => {
        sender.writer.message("chunk", 0, chunk);
        return sender.writer.sequence;
      });
      const { stream: update } = sender.take();
      const frames = [...cutFrames(update)];
      const starts = frames.map((_, i) => frames.slice(0, i).reduce((bytes, frame) => bytes + frame.length, 0));
      const random = seeded(7);
      const cuts = [
        ...ends.map((_, i) => starts[i + 1]!).filter((_, i) => i % cutEvery === 0),
        ...Array.from({ length: randomCuts }, () => 1 + Math.floor(random() * (starts.at(-1)! - 1))),
      ];
      for (const cut of cuts) {
        const run = await start();
        const { hello } = await run.until("hello");
        expect(hello.agents, `after a cut before byte ${cut}`).toMatchObject([{ imageHash: activity.imageHash, slot: "a", status: 0 }]);
        await run.feed(update.subarray(0, cut));
        const whole = starts.filter((at) => at <= cut).length - 1; // frames before the cut, hello included
        if (whole > 1) await run.until("ack", ({ ack }) => ack.type === "chunk" && ack.sequence === whole - 1);
        await run.kill();
      }
      const run = await start();
      expect((await run.until("hello")).hello).toMatchObject({ boots: cuts.length + 1, agents: [{ imageHash: activity.imageHash }] });
      await run.feed(stream);
      await run.until("decision", ({ decision }) => decision.tick === expected.at(-1)!.tick);
      expect(decisionsOf(run.messages)).toEqual(expected);
    });

    it("refuses an image whose hash is not the announced one, and runs on", async () => {
      const sender = new Sender();
      sender.hello();
      const wrong = fallImage.slice();
      wrong[20_000]! ^= 4;
      for (const chunk of cutIntoChunks(wrong, fall.imageHash)) sender.writer.message("chunk", 0, chunk);
      const { stream: update, last } = sender.take();
      const run = await start();
      await run.feed(update);
      expect((await run.until("ack", ({ ack }) => ack.type === "chunk" && ack.sequence === last)).ack.status).toBe(layout.ACK_BAD_HASH);
      await run.feed(stream);
      await run.until("decision", ({ decision }) => decision.tick === expected.at(-1)!.tick);
      expect(decisionsOf(run.messages)).toEqual(expected);
    });

    it("goes on from its snapshot after a reset in mid-window, and says so", async () => {
      const { samples } = stretches[0]!;
      const cut = 1001; // in the middle of a patch
      const sender = new Sender();
      sender.hello().command({ verb: "option", option: "hash", value: 1 }).command({ verb: "option", option: "stillVariance", value: 0 });
      sender.writer.sensor(DEVICE, 0, 6, samples.subarray(0, 6 * cut));
      sender.command({ verb: "snapshot" });
      const { stream: before, last } = sender.take();
      const run = await start();
      await run.feed(before);
      await run.until("ack", ({ ack }) => ack.sequence === last && ack.type === "command");
      await run.kill();
      const again = await start();
      expect((await again.until("hello")).hello).toMatchObject({ boots: 2, agents: [{ start: "restored" }] });
      const after = new Sender();
      after.hello();
      after.writer.sensor(DEVICE, cut, 6, samples.subarray(6 * cut));
      await again.feed(after.take().stream);
      const host = hostDecisions(activity, stretchFrames(stretches));
      await again.until("decision", ({ decision }) => decision.tick === host.at(-1)!.tick);
      expect([...decisionsOf(run.messages), ...decisionsOf(again.messages)]).toEqual(host);
      expect(only(again.messages, "log").map(({ log }) => log.code)).toContain(layout.LOG_RESTORED);
    });

    it("starts afresh after a reset without a snapshot, and says so", async () => {
      const run = await start();
      await run.feed(stream.subarray(0, Math.floor(stream.length / 2)));
      await run.kill();
      const again = await start();
      expect((await again.until("hello")).hello).toMatchObject({ boots: 2, agents: [{ start: "fresh" }] });
      await again.feed(stream);
      await again.until("decision", ({ decision }) => decision.tick === expected.at(-1)!.tick);
      expect(decisionsOf(again.messages)).toEqual(expected);
    });

    it("keeps its last set-point when the link falls silent, and over a reset once it was saved", async () => {
      const shallow = { ...setPoint, maxExit: 0, hopPatches: 8 };
      const sender = new Sender();
      const bare = makeLinkStream(stretches, { setPoint: shallow });
      sender.hello().command({ verb: "snapshot" });
      const run = await start();
      await run.feed(bare);
      await run.feed(sender.take().stream);
      await run.until("log", ({ log }) => log.code === layout.LOG_SAVED);
      await run.kill();
      const again = await start();
      await again.feed(makeLinkStream(stretches));
      const host = hostDecisions(activity, stretchFrames(stretches), shallow);
      await again.until("decision", ({ decision }) => decision.tick === host.at(-1)!.tick);
      expect(decisionsOf(again.messages).slice(-10)).toEqual(host.slice(-10));
      expect(host.every(({ exit }) => exit === 0)).toBe(true);
    });
  });
}
