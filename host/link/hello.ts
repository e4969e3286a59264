import * as device from "../../assembly/device/layout.ts";
import { FORMAT_1_MARK, RUNS_BYTES } from "../../assembly/layout.ts";
import { decodeRuns, encodeRuns, hostRuns, type Runs } from "../core/image/runs.ts";
import { LinkError } from "../core/system/errors.ts";
import type { LinkResult } from "./frame.ts";

/** A node's `hello`: who is at this end of the link. */
export interface NodeHello {
  readonly runs: Runs; // formats, block kinds and section versions that it can run
  readonly version: number;
  readonly newTicks: boolean; // the ticks that follow start anew
  readonly unixMillis: number;
  readonly node: string;
}

const MAX_NODE_BYTES = 64;

/** RUNS_BYTES of what runs, u16 link version, u16 flags, u64 time in ms, the node's name. Throws LinkError for a name beyond 64 bytes. */
export function encodeNodeHello(hello: Partial<NodeHello> & { readonly node: string }): Uint8Array {
  const { runs = hostRuns, version = device.LINK_VERSION, newTicks = false, unixMillis = 0, node } = hello;
  const name = new TextEncoder().encode(node);
  if (name.length > MAX_NODE_BYTES || !Number.isSafeInteger(unixMillis) || unixMillis < 0) {
    throw new LinkError("HELLO_FIELDS", `a hello of node "${node}" at ${unixMillis} ms: give a name of at most ${MAX_NODE_BYTES} B.`);
  }
  const payload = new Uint8Array(device.HELLO_IN_BYTES + name.length);
  const view = new DataView(payload.buffer);
  payload.set(encodeRuns(runs));
  view.setUint16(RUNS_BYTES, version, true);
  view.setUint16(RUNS_BYTES + 2, newTicks ? device.HELLO_FLAG_NEW_TICKS : 0, true);
  view.setBigUint64(RUNS_BYTES + 4, BigInt(unixMillis), true);
  payload.set(name, device.HELLO_IN_BYTES);
  return payload;
}

/** Reads the payload of a node's hello. Any bytes are safe. */
export function decodeNodeHello(payload: Uint8Array): LinkResult<NodeHello> {
  if (payload.length < device.HELLO_IN_BYTES) return { ok: false, reason: `${payload.length} B are less than a hello has` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    ok: true,
    value: {
      runs: decodeRuns(payload),
      version: view.getUint16(RUNS_BYTES, true),
      newTicks: (view.getUint16(RUNS_BYTES + 2, true) & device.HELLO_FLAG_NEW_TICKS) !== 0,
      unixMillis: Number(view.getBigUint64(RUNS_BYTES + 4, true)),
      node: new TextDecoder().decode(payload.subarray(device.HELLO_IN_BYTES)),
    },
  };
}

/** How an agent's state began at the device's last start. */
export type DeviceStart = "none" | "fresh" | "restored" | "refused";
export type DeviceSlot = "a" | "b" | "factory" | "none";

export interface DeviceAgent {
  readonly slot: DeviceSlot; // where the image that runs lies
  readonly start: DeviceStart;
  readonly status: number; // of the image or snapshot that was refused, 0 = none was
  readonly arenaBytes: number;
  readonly imageHash: string; // hex SHA-256, zeros without an image
}

/** A device's `hello`. */
export interface DeviceHello {
  readonly runs: Runs; // what its core runs
  readonly version: number; // of the link
  readonly credits: number; // link frames that may be under way to it
  readonly firmware: string;
  readonly boots: number;
  readonly tick: number;
  readonly slotBytes: number; // largest image that an update can bring; 0 = no updates
  readonly agents: readonly DeviceAgent[];
}

const STARTS: readonly DeviceStart[] = ["none", "fresh", "restored", "refused"];
const SLOTS: readonly DeviceSlot[] = ["a", "b", "factory"];

/** Reads the payload of a device's hello. Any bytes are safe. */
export function decodeDeviceHello(payload: Uint8Array): LinkResult<DeviceHello> {
  const own = RUNS_BYTES;
  if (payload.length >= 4 && new DataView(payload.buffer, payload.byteOffset).getUint32(0, true) === FORMAT_1_MARK)
    return { ok: false, reason: "a hello of firmware 0.1 (link version 1): build and flash the firmware again" };
  const count = payload[own + 2] ?? 0;
  if (count > device.DEVICE_AGENTS)
    return { ok: false, reason: `a hello of ${count} agents: a device has at most ${device.DEVICE_AGENTS}` };
  const bytes = device.HELLO_OUT_BYTES + count * device.HELLO_AGENT_BYTES;
  if (payload.length !== bytes) return { ok: false, reason: `${payload.length} B instead of ${bytes} B for a hello of ${count} agents` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const agents: DeviceAgent[] = [];
  for (let i = 0; i < count; i++) {
    const at = device.HELLO_OUT_BYTES + i * device.HELLO_AGENT_BYTES;
    const start = STARTS[payload[at + 1]!];
    if (start === undefined) return { ok: false, reason: `agent ${i} started in way ${payload[at + 1]}` };
    agents.push({
      slot: SLOTS[payload[at]!] ?? "none",
      start,
      status: view.getInt32(at + 4, true),
      arenaBytes: view.getUint32(at + 8, true),
      imageHash: Buffer.from(payload.subarray(at + 12, at + 44)).toString("hex"),
    });
  }
  const firmware = view.getUint32(own + 4, true);
  return {
    ok: true,
    value: {
      runs: decodeRuns(payload),
      version: view.getUint16(own, true),
      credits: payload[own + 3]!,
      firmware: `${firmware >>> 16}.${(firmware >> 8) & 255}.${firmware & 255}`,
      boots: view.getUint32(own + 8, true),
      tick: view.getUint32(own + 12, true),
      slotBytes: view.getUint32(own + 16, true),
      agents,
    },
  };
}
