import * as device from "../../assembly/device/layout.ts";
import { LinkError } from "../core/system/errors.ts";
import type { LinkResult } from "./frame.ts";

/** What `command` frames ask of a device. */
export const COMMANDS = {
  snapshot: device.COMMAND_SNAPSHOT,
  reboot: device.COMMAND_REBOOT,
  reset: device.COMMAND_RESET,
  telemetry: device.COMMAND_TELEMETRY,
  option: device.COMMAND_OPTION,
  wake: device.COMMAND_WAKE,
} as const;

/** What `option` sets, until the next save in memory alone. */
export const OPTIONS = {
  hash: device.OPTION_HASH,
  telemetryTicks: device.OPTION_TELEMETRY_TICKS,
  snapshotTicks: device.OPTION_SNAPSHOT_TICKS,
  stillVariance: device.OPTION_STILL_VARIANCE,
  wakeVariance: device.OPTION_WAKE_VARIANCE,
  notWornTicks: device.OPTION_NOT_WORN_TICKS,
} as const;

export type DeviceCommand =
  | { readonly verb: Exclude<keyof typeof COMMANDS, "option"> }
  | { readonly verb: "option"; readonly option: keyof typeof OPTIONS; readonly value: number };

/** The values that an option takes, if this is none of them: the device refuses the same. */
function wantedValue(option: keyof typeof OPTIONS, value: number): string | undefined {
  const least = device.SNAPSHOT_TICKS_MIN;
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) return "a whole number from 0 to 4294967295";
  if (option === "hash" && value > 1) return "0 or 1";
  return option === "snapshotTicks" && value > 0 && value < least ? `0 (never) or at least ${least}: flash wears out` : undefined;
}

/** The payload of a `command` frame: u8 verb, 3 zeros, u32 key, u32 value. */
export function encodeCommand(command: DeviceCommand): Uint8Array {
  const payload = new Uint8Array(device.COMMAND_BYTES);
  const view = new DataView(payload.buffer);
  payload[0] = COMMANDS[command.verb];
  if (command.verb === "option") {
    const { option, value } = command;
    const wanted = wantedValue(option, value);
    if (wanted !== undefined) throw new LinkError("OPTION_VALUE", `option ${option} = ${value}: give ${wanted}.`);
    view.setUint32(4, OPTIONS[command.option], true);
    view.setUint32(8, command.value, true);
  }
  return payload;
}

const verbs = Object.entries(COMMANDS) as [keyof typeof COMMANDS, number][];
const options = Object.entries(OPTIONS) as [keyof typeof OPTIONS, number][];

/** Reads the payload of a `command` frame. Any bytes are safe. */
export function decodeCommand(payload: Uint8Array): LinkResult<DeviceCommand> {
  if (payload.length !== device.COMMAND_BYTES) return { ok: false, reason: `${payload.length} B are no command` };
  const verb = verbs.find(([, number]) => number === payload[0])?.[0];
  if (verb === undefined) return { ok: false, reason: `command ${payload[0]} is unknown` };
  if (verb !== "option") return { ok: true, value: { verb } };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const option = options.find(([, number]) => number === view.getUint32(4, true))?.[0];
  if (option === undefined) return { ok: false, reason: `option ${view.getUint32(4, true)} is unknown` };
  return { ok: true, value: { verb, option, value: view.getUint32(8, true) } };
}
