import * as device from "../../assembly/device/layout.ts";
import type { LinkResult } from "./frame.ts";

/** A device's counters, by their place among COUNTER_WORDS. They survive resets as far as they were saved. */
export const COUNTERS = {
  boots: device.COUNTER_BOOTS,
  frames: device.COUNTER_FRAMES,
  held: device.COUNTER_HELD,
  resets: device.COUNTER_RESETS,
  ignored: device.COUNTER_IGNORED,
  unused: device.COUNTER_UNUSED,
  slept: device.COUNTER_SLEPT,
  decisions: device.COUNTER_DECISIONS,
  asks: device.COUNTER_ASKS,
  asksDropped: device.COUNTER_ASKS_DROPPED,
  asksExpired: device.COUNTER_ASKS_EXPIRED,
  asksTaken: device.COUNTER_ASKS_TAKEN,
  answers: device.COUNTER_ANSWERS,
  linkFrames: device.COUNTER_LINK_FRAMES,
  linkBad: device.COUNTER_LINK_BAD,
  linkBadBytes: device.COUNTER_LINK_BAD_BYTES,
  linkLost: device.COUNTER_LINK_LOST,
  linkRepeated: device.COUNTER_LINK_REPEATED,
  linkUnknown: device.COUNTER_LINK_UNKNOWN,
  saves: device.COUNTER_SAVES,
  updates: device.COUNTER_UPDATES,
  updatesRefused: device.COUNTER_UPDATES_REFUSED,
  sleeps: device.COUNTER_SLEEPS,
  resent: device.COUNTER_RESENT,
} as const;

export type DeviceCounters = Readonly<Record<keyof typeof COUNTERS, number>>;

export interface DeviceTelemetry {
  readonly tick: number;
  readonly memoryUsedBytes: number;
  readonly isAsleep: boolean; // not worn
  readonly asksKept: number;
  readonly nextAsk: number;
  readonly counters: DeviceCounters;
}

/** Reads the payload of a `telemetry` frame. Any bytes are safe. */
export function decodeTelemetry(payload: Uint8Array): LinkResult<DeviceTelemetry> {
  const bytes = device.TELEMETRY_HEADER_BYTES + 4 * device.COUNTER_WORDS;
  if (payload.length !== bytes) return { ok: false, reason: `${payload.length} B instead of ${bytes} B for telemetry` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const counter = (index: number) => view.getUint32(device.TELEMETRY_HEADER_BYTES + 4 * index, true);
  return {
    ok: true,
    value: {
      tick: view.getUint32(0, true),
      memoryUsedBytes: view.getUint32(4, true),
      isAsleep: payload[8] !== 0,
      asksKept: payload[9]!,
      nextAsk: view.getUint32(12, true),
      counters: Object.fromEntries(Object.entries(COUNTERS).map(([name, index]) => [name, counter(index)])) as DeviceCounters,
    },
  };
}
