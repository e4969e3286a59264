import * as layout from "../../assembly/layout.ts";
import { decodeAck } from "./ack.ts";
import { decodeCommand } from "./command.ts";
import type { LinkFrame } from "./frame.ts";
import { decodeNodeHello } from "./hello.ts";
import type { DeviceMessage } from "./messages.ts";
import { decodeSensor } from "./sensor.ts";

/** A message in plain values, as JSON lines show it. */
export type Described = Readonly<Record<string, unknown>> & { readonly type: string; readonly agent: number; readonly sequence: number };

/** A device's message, without the bytes of an ask. */
export function describeMessage(message: DeviceMessage): Described {
  const { type, agent, sequence } = message;
  switch (message.type) {
    case "ask": {
      const { patches, ...ask } = message.ask;
      return { type, agent, sequence, ...ask, patches: patches.length / Math.max(1, ask.patchBytes) };
    }
    case "ack":
      return {
        type,
        agent,
        sequence,
        acked: message.ack.sequence,
        of: message.ack.type,
        status: message.ack.status,
        number: message.ack.number,
      };
    case "hello":
      return { type, agent, sequence, ...message.hello };
    case "decision":
      return { type, agent, sequence, ...message.decision };
    case "telemetry":
      return { type, agent, sequence, ...message.telemetry };
    case "log":
      return { type, sequence, ...message.log };
  }
}

/** A frame of a node: what a recording of a device's input holds. */
export function describeNodeFrame(frame: LinkFrame): Described {
  const { type, agent, sequence, payload } = frame;
  const base = { type, agent, sequence };
  const read = <T extends object>(
    result: { ok: true; value: T } | { ok: false; reason: string },
    show: (value: T) => object = (value) => value,
  ) => (result.ok ? { ...base, ...show(result.value) } : { ...base, unreadable: result.reason });
  switch (type) {
    case "hello":
      return read(decodeNodeHello(payload));
    case "sensor":
    case "local-sensor":
      return read(decodeSensor(payload), ({ tick, channels, samples }) => ({ tick, frames: samples.length / channels, channels }));
    case "command":
      return read(decodeCommand(payload));
    case "ack":
      return read(decodeAck(payload), ({ sequence: acked, type: of, number }) => ({ acked, of, number }));
    case "set-point":
      return { ...base, words: payload.length === 4 * layout.SETPOINT_WORDS ? [...new Int32Array(payload.slice().buffer)] : [] };
    default:
      return { ...base, bytes: payload.length };
  }
}

/** One line for people. */
export function describeLine({ type, agent, sequence, ...fields }: Described): string {
  const who = agent === 255 ? "device" : `agent ${agent}`;
  return `${String(sequence).padStart(5)}  ${type.padEnd(12)} ${who.padEnd(8)} ${textOf(fields)}`;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => (typeof one === "object" ? `[${textOf(one)}]` : String(one))).join(" ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([name, one]) => `${name} ${typeof one === "object" ? textOf(one) : one}`)
    .join("  ");
}
