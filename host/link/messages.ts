import { type Ack, decodeAck } from "./ack.ts";
import { type DeviceAsk, decodeAsk } from "./ask.ts";
import { type DeviceDecision, decodeDecision } from "./decision.ts";
import type { FrameType, LinkFrame, LinkResult } from "./frame.ts";
import { type DeviceHello, decodeDeviceHello } from "./hello.ts";
import { type DeviceLog, decodeLog } from "./log.ts";
import { createLinkDecoder, type LinkStats } from "./stream.ts";
import { type DeviceTelemetry, decodeTelemetry } from "./telemetry.ts";

/** A whole message of a device, its payload read. */
export type DeviceMessage = { readonly agent: number; readonly sequence: number } & (
  | { readonly type: "hello"; readonly hello: DeviceHello }
  | { readonly type: "decision"; readonly decision: DeviceDecision }
  | { readonly type: "ask"; readonly ask: DeviceAsk }
  | { readonly type: "telemetry"; readonly telemetry: DeviceTelemetry }
  | { readonly type: "log"; readonly log: DeviceLog }
  | { readonly type: "ack"; readonly ack: Ack }
);

/** Longest message that is joined from fragments: an ask with the largest context fits many times. */
const MAX_MESSAGE_BYTES = 1 << 20;
/** Fragments that it may have, filled or not: an empty one takes memory, too. */
const MAX_PARTS = 8192;

interface Fragments {
  readonly type: FrameType;
  readonly agent: number;
  readonly parts: Uint8Array[];
  bytes: number;
  next: number; // sequence of the next fragment
}

export interface DeviceReader {
  /** Takes the next bytes, cut anywhere. */
  push(bytes: Uint8Array): void;
  /** The stream is over: what is unfinished counts as bad. */
  end(): void;
  stats(): DeviceReaderStats;
}

export interface DeviceReaderStats extends LinkStats {
  readonly lost: number; // frames missing in the device's sequence
  readonly unread: number; // sound frames with an unreadable payload, fragments without their rest
}

/** Reads what a device sends: frames, fragments joined, payloads. Noise, losses and unknown payloads are counted, never thrown. */
export function createDeviceReader(on: {
  readonly onMessage: (message: DeviceMessage) => void;
  readonly onBad?: (reason: string, bytes: number) => void;
}): DeviceReader {
  let lost = 0;
  let unread = 0;
  let expected: number | undefined;
  let open: Fragments | undefined;

  const refuse = (reason: string, bytes: number) => {
    unread++;
    on.onBad?.(reason, bytes);
  };
  const whole = (type: FrameType, agent: number, sequence: number, payload: Uint8Array) => {
    const read = readDeviceMessage(type, payload);
    if (read.ok) on.onMessage({ ...read.value, agent, sequence } as DeviceMessage);
    else refuse(read.reason, payload.length);
  };
  const onFrame = (frame: LinkFrame) => {
    const { type, agent, sequence, more, payload } = frame;
    // A device that started again counts from 0: that is no loss.
    if (expected !== undefined && sequence !== 0) lost += (sequence - expected) & 0xffff;
    expected = (sequence + 1) & 0xffff;
    if (open !== undefined && (open.type !== type || open.agent !== agent || open.next !== sequence)) {
      refuse(`the rest of a ${open.type} is missing`, open.bytes);
      open = undefined;
    }
    if (open === undefined && !more) return whole(type, agent, sequence, payload);
    open ??= { type, agent, parts: [], bytes: 0, next: 0 };
    open.parts.push(payload.slice());
    open.bytes += payload.length;
    open.next = expected;
    if (open.bytes > MAX_MESSAGE_BYTES || open.parts.length > MAX_PARTS) {
      refuse(`a ${type} of more than ${MAX_MESSAGE_BYTES} B or ${MAX_PARTS} fragments`, open.bytes);
      open = undefined;
    } else if (!more) {
      const { parts } = open;
      open = undefined;
      whole(type, agent, sequence, Buffer.concat(parts));
    }
  };
  const decoder = createLinkDecoder({ onFrame, ...(on.onBad === undefined ? {} : { onBad: on.onBad }) });
  return {
    push: (bytes) => decoder.push(bytes),
    end() {
      decoder.end();
      if (open !== undefined) refuse(`the rest of a ${open.type} is missing`, open.bytes);
      open = undefined;
    },
    stats: () => ({ ...decoder.stats(), lost, unread }),
  };
}

/** All messages of a recorded output. */
export function readDeviceStream(bytes: Uint8Array): { readonly messages: readonly DeviceMessage[]; readonly stats: DeviceReaderStats } {
  const messages: DeviceMessage[] = [];
  const reader = createDeviceReader({ onMessage: (message) => messages.push(message) });
  reader.push(bytes);
  reader.end();
  return { messages, stats: reader.stats() };
}

function readDeviceMessage(type: FrameType, payload: Uint8Array): LinkResult<object> {
  const tagged = <T>(read: LinkResult<T>, key: string): LinkResult<object> =>
    read.ok ? { ok: true, value: { type, [key]: read.value } } : read;
  switch (type) {
    case "hello":
      return tagged(decodeDeviceHello(payload), "hello");
    case "decision":
      return tagged(decodeDecision(payload), "decision");
    case "ask":
      return tagged(decodeAsk(payload), "ask");
    case "telemetry":
      return tagged(decodeTelemetry(payload), "telemetry");
    case "log":
      return tagged(decodeLog(payload), "log");
    case "ack":
      return tagged(decodeAck(payload), "ack");
    default:
      return { ok: false, reason: `a ${type} is nothing that a device sends` };
  }
}
