import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LINK_CREDITS } from "../../assembly/device/layout.ts";
import { Model } from "../../host/core/session/model.ts";
import type { SetPoint } from "../../host/core/session/session-types.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import type { Recording } from "../../host/data/recording.ts";
import type { SyntheticParameters } from "../../host/data/synthetic.ts";
import type { Stretch } from "../../host/firmware/emulate/link-stream.ts";
import type { DeviceTransport } from "../../host/firmware/emulate/run-device.ts";
import type { DeviceDecision } from "../../host/link/decision.ts";
import { decodeFrame } from "../../host/link/frame.ts";
import { createDeviceReader, type DeviceMessage } from "../../host/link/messages.ts";
import { syntheticRecording } from "./recording.ts";

const read = (path: string) => new Uint8Array(readFileSync(join(packageRoot(), path)));

export const activityImage = read("agents/activity/model.dmm");
export const fallImage = read("agents/fall/model.dmm");
export const activity = Model.load(activityImage, { engine: "scalar" });
export const fall = Model.load(fallImage, { engine: "scalar" });
const parameters = JSON.parse(Buffer.from(read("agents/activity/synthetic.json")).toString()) as SyntheticParameters;

/** Frames of the synthetic wearer: the same seed, the same frames. */
export function wearer(seed: number, frames: number): Stretch[] {
  return recordingStretches([syntheticRecording(parameters, ["walking", "sitting", "upstairs"], { seed, frames })]);
}

/** Whole recordings as stretches. */
export function recordingStretches(recordings: readonly Recording[]): Stretch[] {
  return recordings.map(({ channels, frames }) => ({ channels, samples: frames }));
}

/** Windows of `frames` frames from each start, as stretches: the window protocol, for the gap resets the state. */
export function windowStretches(recording: Recording, starts: readonly number[], frames: number): Stretch[] {
  const { channels } = recording;
  return starts.map((start) => ({ channels, samples: recording.frames.subarray(start * channels, (start + frames) * channels) }));
}

/** Every exit, no asks. */
export function quiet(model: Model): SetPoint {
  const nExits = model.image.exits.length;
  const { hopPatches } = model.image;
  return { maxExit: nExits - 1, hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1, thresholds: Array(nExits).fill(0) };
}

export type MessageOf<T extends DeviceMessage["type"]> = Extract<DeviceMessage, { type: T }>;

/** The messages of one type. */
export function only<T extends DeviceMessage["type"]>(messages: readonly DeviceMessage[], type: T): MessageOf<T>[] {
  return messages.filter((message): message is MessageOf<T> => message.type === type);
}

export function decisionsOf(messages: readonly DeviceMessage[]): DeviceDecision[] {
  return only(messages, "decision").map(({ decision }) => decision);
}

/** The frames of a link stream, delimiters and all; whatever stands between two delimiters is one. */
export function* cutFrames(stream: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < stream.length; ) {
    const end = stream.indexOf(0, at);
    yield stream.subarray(at, end < 0 ? stream.length : end + 1);
    at = end < 0 ? stream.length : end + 1;
  }
}

/** One run of a device: what it sends is read as it comes, what it is sent keeps to its credits. */
export class DeviceRun {
  readonly messages: DeviceMessage[] = [];
  readonly bytes: Uint8Array[] = [];
  readonly #reader = createDeviceReader({ onMessage: (message) => this.messages.push(message) });
  readonly #transport: DeviceTransport;
  #seen = 0; // messages that `until` has passed
  #paced = 0; // messages that `feed` has
  #underWay: { readonly sequence: number; readonly isHello: boolean }[] = [];
  #hellos = 0;

  constructor(transport: DeviceTransport) {
    this.#transport = transport;
  }

  /** Reads on until a message is such; fails when the device ends before. */
  async until<T extends DeviceMessage["type"]>(type: T, isSuch: (message: MessageOf<T>) => boolean = () => true): Promise<MessageOf<T>> {
    for (;;) {
      for (; this.#seen < this.messages.length; this.#seen++) {
        const message = this.messages[this.#seen]!;
        if (message.type === type && isSuch(message as MessageOf<T>)) {
          this.#seen++;
          return message as MessageOf<T>;
        }
      }
      if (!(await this.#more())) throw new Error(`no such ${type} before the end: ${this.messages.map((m) => m.type).join(" ")}`);
    }
  }

  /** Writes a link stream, at most LINK_CREDITS frames ahead of the device's acks. */
  async feed(stream: Uint8Array): Promise<void> {
    for (const frame of cutFrames(stream)) {
      while (this.#underWay.length >= LINK_CREDITS) await this.#acked();
      this.#transport.write(frame);
      const decoded = decodeFrame(frame.subarray(0, -1));
      if (decoded.ok && decoded.value.type !== "local-sensor") {
        const { sequence, type } = decoded.value;
        this.#underWay.push({ sequence, isHello: type === "hello" });
      }
    }
  }

  /** Writes bytes as they are. */
  write(bytes: Uint8Array): void {
    this.#transport.write(bytes);
  }

  /** Ends the input and reads the rest. Returns the exit code. */
  async finish(): Promise<number | undefined> {
    this.#transport.end();
    while (await this.#more());
    return this.#transport.ended;
  }

  kill(): Promise<void> {
    this.#underWay = [];
    return this.#transport.kill();
  }

  async #more(): Promise<boolean> {
    const some = await this.#transport.read();
    this.bytes.push(some);
    this.#reader.push(some);
    return some.length > 0;
  }

  async #acked(): Promise<void> {
    for (;;) {
      for (; this.#paced < this.messages.length; this.#paced++) {
        const message = this.messages[this.#paced]!;
        // The first hello is the start's own; the others answer, and acknowledge what came before.
        let dealt = 0;
        if (message.type === "hello" && this.#hellos++ > 0) dealt = this.#underWay.findIndex(({ isHello }) => isHello) + 1;
        else if (message.type === "ack") dealt = this.#underWay.findIndex(({ sequence }) => sequence === message.ack.sequence) + 1;
        this.#underWay.splice(0, dealt);
        if (dealt > 0) {
          this.#paced++;
          return;
        }
      }
      if (!(await this.#more())) throw new Error("the device ended while frames waited for its credits");
    }
  }
}
