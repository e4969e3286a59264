import * as device from "../../../assembly/device/layout.ts";
import { crc32 } from "../../core/arithmetic/crc32.ts";
import { ConfigError } from "../../core/system/errors.ts";

/** Layout of a device's store, from its header. */
export interface StoreShape {
  readonly agents: number;
  /** What erases at once, a power of two. Default 4096. */
  readonly sectorBytes?: number;
  /** Largest image, rounded up to sectors; 0 = no updates. */
  readonly slotBytes: number;
  /** Largest snapshot, rounded up to sectors; 0 = none kept. */
  readonly snapshotBytes: number;
}

export interface StoreGeometry {
  readonly sectorBytes: number;
  readonly agents: number;
  readonly slotBytes: number;
  readonly snapshotBytes: number;
  readonly journalBytes: number;
  readonly storeBytes: number;
  journalOffset(area: number): number;
  snapshotOffset(agent: number, area: number): number;
  slotOffset(agent: number, slot: number): number;
}

const ERASED = 0xff;

/** Where everything lies in a store of this shape. */
export function storeGeometry(shape: StoreShape): StoreGeometry {
  const { agents, sectorBytes = 4096 } = shape;
  const isPower = sectorBytes >= device.RECORD_BYTES && Number.isInteger(Math.log2(sectorBytes));
  if (!isPower || !Number.isInteger(agents) || agents < 1 || agents > device.DEVICE_AGENTS) {
    throw new ConfigError(
      "STORE_SHAPE",
      `a store of ${agents} agents in sectors of ${sectorBytes} B: give 1 to ${device.DEVICE_AGENTS} agents and a power of two from ${device.RECORD_BYTES} B.`,
    );
  }
  const sectors = (bytes: number) => Math.ceil(bytes / sectorBytes) * sectorBytes;
  const slotBytes = sectors(shape.slotBytes);
  const snapshotBytes = shape.snapshotBytes === 0 ? 0 : sectors(shape.snapshotBytes + device.AREA_HEADER_BYTES);
  const journalBytes = sectorBytes;
  const journalOffset = (area: number) => sectorBytes + area * journalBytes;
  const snapshotOffset = (agent: number, area: number) => journalOffset(2) + agent * 2 * (snapshotBytes + slotBytes) + area * snapshotBytes;
  const slotOffset = (agent: number, slot: number) => snapshotOffset(agent, 2) + slot * slotBytes;
  const storeBytes = snapshotOffset(agents, 0);
  return { sectorBytes, agents, slotBytes, snapshotBytes, journalBytes, storeBytes, journalOffset, snapshotOffset, slotOffset };
}

/** A fresh store with these images in slot A of agents 0, 1, …: the file `store` of a device, or a stretch of its flash. */
export function makeStore(images: readonly Uint8Array[], shape: Partial<StoreShape> = {}): Uint8Array {
  const longest = images.reduce((most, image) => Math.max(most, image.length), 0);
  const geometry = storeGeometry({ agents: Math.max(1, images.length), slotBytes: longest, snapshotBytes: 32768, ...shape });
  if (longest > geometry.slotBytes || images.length > geometry.agents) {
    throw new ConfigError(
      "STORE_TOO_SMALL",
      `${images.length} images of up to ${longest} B do not fit ${geometry.agents} agents' slots of ${geometry.slotBytes} B. Give larger slots.`,
    );
  }
  const store = new Uint8Array(geometry.storeBytes).fill(ERASED);
  const words = new Uint32Array(device.STORE_HEADER_WORDS);
  words[0] = device.STORE_MAGIC;
  words[1] = device.STORE_VERSION;
  words[device.STORE_SECTOR_BYTES] = geometry.sectorBytes;
  words[device.STORE_AGENTS] = geometry.agents;
  words[device.STORE_SLOT_BYTES] = geometry.slotBytes;
  words[device.STORE_SNAPSHOT_BYTES] = geometry.snapshotBytes;
  words[device.STORE_JOURNAL_BYTES] = geometry.journalBytes;
  words[device.STORE_BYTES] = geometry.storeBytes;
  words[device.STORE_CRC32] = crc32(new Uint8Array(words.buffer, 0, 4 * device.STORE_CRC32));
  store.set(new Uint8Array(words.buffer));
  for (const [agent, image] of images.entries()) store.set(image, geometry.slotOffset(agent, device.SLOT_A));
  return store;
}
