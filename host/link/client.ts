import * as device from "../../assembly/device/layout.ts";
import { imageHash } from "../core/image/image-read.ts";
import type { SetPoint } from "../core/session/session-types.ts";
import type { Clock } from "../core/system/clock.ts";
import { LinkError } from "../core/system/errors.ts";
import { type Ack, encodeAck } from "./ack.ts";
import { encodeAnswer } from "./ask.ts";
import { cutIntoChunks } from "./chunk.ts";
import { type DeviceCommand, encodeCommand } from "./command.ts";
import { encodeSetPoint } from "./decision.ts";
import { encodeFrame, type FrameType, type LinkResult } from "./frame.ts";
import { type DeviceHello, encodeNodeHello } from "./hello.ts";
import { createDeviceReader, type DeviceMessage, type DeviceReaderStats } from "./messages.ts";
import { encodeSensor, sensorFramesPerLinkFrame } from "./sensor.ts";

export interface LinkClientOptions {
  /** Puts bytes on the wire. */
  readonly write: (bytes: Uint8Array) => void;
  readonly clock: Clock;
  /** This end's name, as the device's recording shows it. */
  readonly node: string;
  readonly onMessage?: (message: DeviceMessage) => void;
  /** Bytes that are no frame, or a payload that cannot be read, and why. */
  readonly onBad?: (reason: string, bytes: number) => void;
  /** Takes an ask over, durably; the device keeps it until this returns true. Default: never. */
  readonly onAsk?: (message: Extract<DeviceMessage, { type: "ask" }>) => boolean;
  /** Milliseconds until a message is sent again. Default 500. */
  readonly retryMillis?: number;
  /** Times that it is sent before it counts as lost. Default 8. */
  readonly maxTries?: number;
}

export interface LinkClientStats extends DeviceReaderStats {
  readonly sent: number; // frames
  readonly resent: number;
  readonly queued: number;
}

/** This end of a link to a device: credits, acks, retransmission. A device that does not answer is a value, not an exception. */
export interface LinkClient {
  /** Bytes from the wire, cut anywhere. */
  receive(bytes: Uint8Array): void;
  hello(options?: { readonly newTicks?: boolean }): Promise<LinkResult<DeviceHello>>;
  setPoint(agent: number, setPoint: SetPoint): Promise<LinkResult<Ack>>;
  command(agent: number, command: DeviceCommand): Promise<LinkResult<Ack>>;
  answer(
    agent: number,
    answer: { readonly number: number; readonly label: number; readonly confidenceQ15: number },
  ): Promise<LinkResult<Ack>>;
  /** Brings an agent a new image. The old one runs on unless this resolves to ok. */
  update(agent: number, image: Uint8Array): Promise<LinkResult<Ack>>;
  /** Consecutive frames (n, channels). Resolves when the last has left; they are not sent again. Rejects, and takes none, where not all may wait. */
  sensor(agent: number, tick: number, channels: number, samples: Int16Array): Promise<void>;
  stats(): LinkClientStats;
  /** Gives up what is under way. */
  close(): void;
}

/** Messages that may wait for credits. */
const MAX_QUEUED = 4096;

const CLOSED = { ok: false, reason: "the link was closed" } as const;

interface Outgoing {
  readonly type: FrameType;
  readonly agent: number;
  readonly payload: Uint8Array;
  readonly onSent?: () => void;
  readonly onEnd?: (result: LinkResult<Ack>) => void;
}

/** Makes the host's end of a link. One message that wants an ack is under way at a time; sensor frames overtake none. */
export function createLinkClient(options: LinkClientOptions): LinkClient {
  const { write, clock, node, retryMillis = 500, maxTries = 8 } = options;
  const queue: Outgoing[] = [];
  let sequence = 0;
  let credits = device.LINK_CREDITS;
  let acked = 0xffff; // sequence of the last frame that the device is known to have dealt with
  let waiting: { item: Outgoing; sequence: number; tries: number } | undefined;
  let greeting: { tries: number; payload: Uint8Array; done: (result: LinkResult<DeviceHello>) => void } | undefined;
  let cancelTimer: (() => void) | undefined;
  let sent = 0;
  let resent = 0;
  let isClosed = false;

  const underWay = () => (sequence - 1 - acked) & 0xffff;
  const put = (type: FrameType, agent: number, payload: Uint8Array): number => {
    const used = sequence;
    write(encodeFrame({ type, sequence, agent, more: false, payload }));
    sequence = (sequence + 1) & 0xffff;
    sent++;
    return used;
  };
  const arm = () => {
    cancelTimer?.();
    cancelTimer = underWay() > 0 || waiting !== undefined || greeting !== undefined ? clock.after(retryMillis, onTimeout) : undefined;
  };
  const pump = () => {
    while (queue.length > 0 && waiting === undefined && greeting === undefined && underWay() < credits && !isClosed) {
      const item = queue.shift()!;
      const used = put(item.type, item.agent, item.payload);
      if (item.onEnd !== undefined) waiting = { item, sequence: used, tries: 1 };
      item.onSent?.();
    }
    arm();
  };
  const settle = (result: LinkResult<Ack>) => {
    const { item } = waiting!;
    waiting = undefined;
    item.onEnd!(result);
  };
  const onTimeout = () => {
    cancelTimer = undefined;
    if (greeting !== undefined) {
      if (greeting.tries++ < maxTries) {
        resent++;
        put("hello", device.LINK_DEVICE, greeting.payload);
        acked = (sequence - 1) & 0xffff;
      } else {
        const { done } = greeting;
        greeting = undefined;
        done({ ok: false, reason: `the device did not answer ${maxTries} hellos` });
      }
    } else if (waiting !== undefined) {
      const { item, sequence: used } = waiting;
      if (waiting.tries++ < maxTries) {
        resent++;
        write(encodeFrame({ type: item.type, sequence: used, agent: item.agent, more: false, payload: item.payload }));
      } else settle({ ok: false, reason: `the device did not acknowledge a ${item.type} in ${maxTries} tries` });
    } else acked = (sequence - 1) & 0xffff; // sensor frames, or their ack, were lost: they are gone
    pump();
  };
  const onAck = (ack: Ack) => {
    const ahead = (ack.sequence - acked) & 0xffff;
    if (ahead < 0x8000 && ahead <= underWay()) acked = ack.sequence;
    credits = Math.max(1, ack.credits);
    if (waiting?.sequence === ack.sequence && waiting.item.type === ack.type) settle({ ok: true, value: ack });
    pump();
  };
  const onHello = (hello: DeviceHello) => {
    acked = (sequence - 1) & 0xffff;
    credits = Math.max(1, hello.credits);
    if (greeting !== undefined) {
      const { done } = greeting;
      greeting = undefined;
      done({ ok: true, value: hello });
    }
    pump();
  };
  const reader = createDeviceReader({
    ...(options.onBad && { onBad: options.onBad }),
    onMessage(message) {
      if (message.type === "ack") onAck(message.ack);
      else if (message.type === "hello") onHello(message.hello);
      else if (message.type === "ask" && options.onAsk?.(message) === true) {
        const { number } = message.ask;
        put("ack", message.agent, encodeAck({ sequence: message.sequence, type: "ask", credits: 0, status: 0, number }));
      }
      options.onMessage?.(message);
    },
  });
  const requireRoom = (count: number) => {
    if (isClosed || queue.length + count <= MAX_QUEUED) return;
    const waits = `${queue.length} messages wait for the device's credits, ${MAX_QUEUED} may, and ${count} more came`;
    throw new LinkError("LINK_QUEUE_FULL", `${waits}. Wait for sensor() to resolve, and give it fewer frames at a time.`);
  };
  const enqueue = (item: Outgoing) => {
    if (isClosed) {
      item.onEnd?.(CLOSED);
      item.onSent?.();
      return;
    }
    requireRoom(1);
    queue.push(item);
    pump();
  };
  const reliable = (type: FrameType, agent: number, payload: Uint8Array) =>
    new Promise<LinkResult<Ack>>((resolve) => enqueue({ type, agent, payload, onEnd: resolve }));

  return {
    receive: (bytes) => reader.push(bytes),
    hello: ({ newTicks = false } = {}) =>
      new Promise((resolve) => {
        if (isClosed) return resolve(CLOSED);
        greeting?.done({ ok: false, reason: "another hello took its place" });
        const payload = encodeNodeHello({ node, newTicks, unixMillis: Math.round(clock.wall()) });
        write(Uint8Array.of(0)); // ends any noise before it
        put("hello", device.LINK_DEVICE, payload);
        greeting = { tries: 1, payload, done: resolve };
        arm();
      }),
    setPoint: (agent, setPoint) => reliable("set-point", agent, encodeSetPoint(setPoint)),
    command: (agent, command) => reliable("command", agent, encodeCommand(command)),
    answer: (agent, answer) => reliable("answer", agent, encodeAnswer(answer)),
    async update(agent, image) {
      let last: LinkResult<Ack> = { ok: false, reason: "the image is empty" };
      for (const payload of cutIntoChunks(image, imageHash(image))) {
        last = await reliable("chunk", agent, payload);
        if (!last.ok) return last;
        if (last.value.status !== 0) return { ok: false, reason: `the device refused the update with status ${last.value.status}` };
      }
      return last;
    },
    async sensor(agent, tick, channels, samples) {
      const perFrame = sensorFramesPerLinkFrame(channels);
      requireRoom(Math.ceil(samples.length / (perFrame * channels)));
      let left = Promise.resolve();
      for (let first = 0; first * channels < samples.length; first += perFrame) {
        const some = samples.subarray(first * channels, (first + perFrame) * channels);
        const payload = encodeSensor({ tick: (tick + first) >>> 0, channels, samples: some });
        left = new Promise<void>((resolve) => enqueue({ type: "sensor", agent, payload, onSent: resolve }));
      }
      await left;
    },
    stats: () => ({ ...reader.stats(), sent, resent, queued: queue.length }),
    close() {
      isClosed = true;
      cancelTimer?.();
      if (waiting !== undefined) settle(CLOSED);
      for (const item of queue.splice(0)) {
        item.onEnd?.(CLOSED);
        item.onSent?.();
      }
      greeting?.done(CLOSED);
      greeting = undefined;
    },
  };
}
