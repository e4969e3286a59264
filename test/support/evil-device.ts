import * as device from "../../assembly/device/layout.ts";
import { SETPOINT_WORDS, SNAPSHOT_HEADER_BYTES, TAIL_WORDS } from "../../assembly/layout.ts";
import { crc32 } from "../../host/core/arithmetic/crc32.ts";
import { imageHash, sealImage } from "../../host/core/image/image-read.ts";
import { makeStore, storeGeometry } from "../../host/firmware/emulate/device-store.ts";
import { cutIntoChunks } from "../../host/link/chunk.ts";
import { cobsEncode } from "../../host/link/cobs.ts";
import { crc16 } from "../../host/link/crc16.ts";

// Stores and link streams that pass every checksum and mean harm: numbers out of their ranges, counters near their ends.

type Random = () => number;

const EDGES = [0, 1, 2, 3, 4, 255, 256, 65_535, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

const below = (random: Random, end: number): number => Math.floor(random() * end);
const anyWord = (random: Random): number => (random() < 0.6 ? EDGES[below(random, EDGES.length)]! : below(random, 2 ** 32));
const nearEnd = (random: Random): number => 0xffff_ffff - below(random, 40);
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Makes a journal record sound again after its words were changed. */
export function sealRecord(record: Uint8Array): void {
  const view = viewOf(record);
  view.setUint32(device.RECORD_CRC32, 0, true);
  view.setUint32(device.RECORD_CRC32, crc32(record), true);
}

/** A journal record at the start of a journal area, as the device writes them: magic, sequence, then what `fill` says. */
export function putRecord(store: Uint8Array, offset: number, sequence: number, fill: (view: DataView) => void): void {
  const record = new Uint8Array(device.RECORD_BYTES);
  const view = viewOf(record);
  view.setUint32(0, device.RECORD_MAGIC, true);
  view.setUint32(device.RECORD_SEQUENCE, sequence, true);
  fill(view);
  sealRecord(record);
  store.set(record, offset);
}

function evilRecord(random: Random, view: DataView): void {
  for (let i = 0; i < device.COUNTER_WORDS; i++) view.setUint32(device.RECORD_COUNTERS + 4 * i, nearEnd(random), true);
  view.setUint32(device.RECORD_COUNTERS + 4 * device.COUNTER_BOOTS, random() < 0.5 ? 0xffff : nearEnd(random), true);
  for (let i = 0; i < device.OPTION_WORDS; i++) view.setUint32(device.RECORD_OPTIONS + 4 * i, anyWord(random), true);
  for (let agent = 0; agent < device.DEVICE_AGENTS; agent++) {
    const at = device.RECORD_AGENTS + agent * device.RECORD_AGENT_BYTES;
    view.setUint32(at, anyWord(random), true);
    view.setUint32(at + 4, random() < 0.7 ? 1 : anyWord(random), true);
    for (let i = 0; i < SETPOINT_WORDS; i++) view.setUint32(at + 16 + 4 * i, random() < 0.7 ? below(random, 3) : anyWord(random), true);
  }
}

function evilHeader(random: Random, store: Uint8Array): void {
  const view = viewOf(store);
  view.setUint32(
    4 * (device.STORE_SECTOR_BYTES + below(random, 6)),
    random() < 0.5 ? 4096 * below(random, 2 ** 20) : anyWord(random),
    true,
  );
  view.setUint32(4 * device.STORE_CRC32, crc32(store.subarray(0, 4 * device.STORE_CRC32)), true);
}

/** Changes words of a snapshot's tail and of its area's header, each under a CRC that is right. */
function evilSnapshot(random: Random, area: Uint8Array): void {
  const view = viewOf(area);
  const bytes = view.getUint32(8, true);
  if (view.getUint32(0, true) !== device.AREA_MAGIC || bytes > area.length - device.AREA_HEADER_BYTES) return;
  const snapshot = area.subarray(device.AREA_HEADER_BYTES, device.AREA_HEADER_BYTES + bytes);
  const tail = snapshot.subarray(SNAPSHOT_HEADER_BYTES);
  const words = viewOf(tail);
  for (let i = 1 + below(random, 6); i > 0; i--) {
    const word = random() < 0.6 ? below(random, TAIL_WORDS) : below(random, tail.length / 4);
    words.setUint32(4 * word, random() < 0.5 ? below(random, 40) : anyWord(random), true);
  }
  viewOf(snapshot).setUint32(16, crc32(tail), true);
  view.setUint32(4, nearEnd(random), true);
  if (random() < 0.1) view.setUint32(8, anyWord(random), true);
  view.setUint32(12, crc32(area.subarray(0, 12)), true);
}

function evilImage(random: Random, image: Uint8Array): void {
  for (let i = 1 + below(random, 3); i > 0; i--) {
    const at = (32 + below(random, Math.min(image.length - 32, 1200))) & ~3;
    viewOf(image).setUint32(at, random() < 0.5 ? below(random, 600) : anyWord(random), true);
  }
  sealImage(image);
}

export interface EvilModel {
  readonly image: Uint8Array;
  readonly channels: number;
  readonly exits: number;
}

/** A store of two agents with sealed but evil records. `saved` has sound snapshots of the same images and shape. */
export function evilStore(random: Random, models: readonly EvilModel[], saved: Uint8Array): Uint8Array {
  const store = saved.slice();
  const geometry = storeGeometry(shapeOf(models));
  const perArea = geometry.journalBytes / device.RECORD_BYTES;
  const first = nearEnd(random);
  for (let area = 0; area < 2; area++) {
    const n = area === 0 ? perArea : below(random, perArea + 1);
    for (let i = 0; i < n; i++) {
      const sequence = random() < 0.9 ? (first + area * perArea + i) % 2 ** 32 : anyWord(random);
      putRecord(store, geometry.journalOffset(area) + i * device.RECORD_BYTES, sequence, (view) => evilRecord(random, view));
    }
  }
  for (const agent of models.keys()) {
    for (const area of [0, 1]) {
      const offset = geometry.snapshotOffset(agent, area);
      if (random() < 0.7) evilSnapshot(random, store.subarray(offset, offset + geometry.snapshotBytes));
    }
    for (const slot of [device.SLOT_A, device.SLOT_B]) {
      const offset = geometry.slotOffset(agent, slot);
      const image = models[agent]!.image.slice();
      if (slot === device.SLOT_B) {
        evilImage(random, image);
        store.set(image, offset);
      }
    }
  }
  if (random() < 0.15) evilHeader(random, store);
  return store;
}

export const shapeOf = (models: readonly EvilModel[]) => ({
  agents: models.length,
  slotBytes: Math.max(...models.map(({ image }) => image.length)),
  snapshotBytes: 32_768,
});

export const freshStore = (models: readonly EvilModel[]): Uint8Array =>
  makeStore(
    models.map(({ image }) => image),
    shapeOf(models),
  );

/** One frame as it goes over the wire, of any type and with any payload. */
export function wireFrame(type: number, sequence: number, agent: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(device.LINK_HEADER_BYTES + payload.length + device.LINK_CRC_BYTES);
  frame.set([type, sequence & 255, sequence >> 8, agent]);
  frame.set(payload, device.LINK_HEADER_BYTES);
  viewOf(frame).setUint16(frame.length - device.LINK_CRC_BYTES, crc16(frame.subarray(0, -device.LINK_CRC_BYTES)), true);
  return Buffer.concat([cobsEncode(frame), Uint8Array.of(0)]);
}

/** Frames whose checksums are right: of every type, most of a shape that is taken, with ticks, numbers and sequences that leap and wrap. */
export class EvilSender {
  #sequence = 0xffff - 40;
  #tick: number;
  readonly #random: Random;
  readonly #models: readonly EvilModel[];
  #update: Uint8Array[] = [];

  constructor(random: Random, models: readonly EvilModel[]) {
    this.#random = random;
    this.#models = models;
    this.#tick = random() < 0.7 ? nearEnd(random) : below(random, 2 ** 32);
  }

  /** `frames` frames; now and then noise without a delimiter between them. */
  stream(frames: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < frames; i++) {
      if (this.#random() < 0.02)
        parts.push(
          Uint8Array.from({ length: below(this.#random, 600) }, () => 1 + below(this.#random, 255)),
          Uint8Array.of(0),
        );
      parts.push(this.#frame());
    }
    return Buffer.concat(parts);
  }

  /** The last frames of a stream: what a sound device answers with a hello. */
  hello(): Uint8Array {
    return Buffer.concat([Uint8Array.of(0), this.#send(device.LINK_HELLO, device.LINK_DEVICE, new Uint8Array(device.HELLO_IN_BYTES))]);
  }

  reboot(): Uint8Array {
    return this.#send(device.LINK_COMMAND, device.LINK_DEVICE, this.#command(device.COMMAND_REBOOT, 0, 0));
  }

  #send(type: number, agent: number, payload: Uint8Array): Uint8Array {
    const frame = wireFrame(type, this.#sequence, agent, payload);
    const jump = this.#random() < 0.05 ? below(this.#random, 65_536) : 1;
    this.#sequence = (this.#sequence + jump) & 0xffff;
    return frame;
  }

  #frame(): Uint8Array {
    const random = this.#random;
    const agent = random() < 0.8 ? below(random, 3) : random() < 0.7 ? device.LINK_DEVICE : below(random, 256);
    const kind = random();
    if (kind < 0.55) return this.#send(device.LINK_SENSOR, agent, this.#sensor());
    if (kind < 0.6) return this.#send(device.LINK_LOCAL_SENSOR, agent, this.#sensor());
    if (kind < 0.68) return this.#send(device.LINK_SET_POINT, agent, this.#setPoint());
    if (kind < 0.76) {
      const verb = random() < 0.9 ? [1, 3, 4, 5, 5, 5, 6][below(random, 7)]! : 7 + below(random, 249);
      return this.#send(
        device.LINK_COMMAND,
        agent,
        this.#command(verb, random() < 0.8 ? below(random, 7) : anyWord(random), anyWord(random)),
      );
    }
    if (kind < 0.8) return this.#send(device.LINK_ANSWER, agent, this.#words(device.ANSWER_BYTES / 4));
    if (kind < 0.84) {
      const ack = this.#words(device.ACK_BYTES / 4);
      ack[2] = device.LINK_ASK;
      return this.#send(device.LINK_ACK, device.LINK_DEVICE, ack);
    }
    if (kind < 0.88)
      return this.#send(
        device.LINK_HELLO,
        agent,
        Uint8Array.from({ length: 16 + below(random, 8) }, () => below(random, 256)),
      );
    if (kind < 0.96) return this.#send(device.LINK_CHUNK, below(random, 2), this.#chunk());
    const payload = Uint8Array.from({ length: below(random, device.LINK_PAYLOAD_BYTES + 1) }, () => below(random, 256));
    const type = below(random, 256);
    payload[0] = type === device.LINK_COMMAND && payload[0] === device.COMMAND_REBOOT ? 0 : (payload[0] ?? 0);
    return this.#send(type, agent, payload);
  }

  #words(count: number): Uint8Array {
    const words = Uint32Array.from({ length: count }, () => anyWord(this.#random));
    return new Uint8Array(words.buffer);
  }

  #command(verb: number, key: number, value: number): Uint8Array {
    return new Uint8Array(Uint32Array.of(verb, key, value).buffer);
  }

  #setPoint(): Uint8Array {
    const random = this.#random;
    const words = new Uint32Array(SETPOINT_WORDS);
    if (random() < 0.3) return this.#words(SETPOINT_WORDS);
    words.set([below(random, this.#models[0]!.exits), 1 + below(random, 20), below(random, 2), 0, 1 + below(random, 4)]);
    words.fill(random() < 0.5 ? 32_768 : 0, 8);
    return new Uint8Array(words.buffer);
  }

  #sensor(): Uint8Array {
    const random = this.#random;
    const isShaped = random() < 0.95;
    const channels = isShaped ? this.#models[below(random, this.#models.length)]!.channels : below(random, 256);
    const most = Math.floor((device.LINK_PAYLOAD_BYTES - device.SENSOR_HEADER_BYTES) / 2 / Math.max(channels, 1));
    const frames = isShaped ? 1 + below(random, most) : below(random, 256);
    const payload = new Uint8Array(device.SENSOR_HEADER_BYTES + (isShaped ? 2 * frames * channels : below(random, 230)));
    const view = viewOf(payload);
    if (random() < 0.1)
      this.#tick = (this.#tick + [3000, 1, 30, 0x7fff_fff0, 0x8000_0000, below(random, 2 ** 32)][below(random, 6)]!) % 2 ** 32;
    view.setUint32(0, this.#tick, true);
    this.#tick = (this.#tick + frames) % 2 ** 32;
    payload[4] = frames;
    payload[5] = channels;
    const swing = random() < 0.2 ? 65_535 : 6000;
    for (let at = device.SENSOR_HEADER_BYTES; at + 1 < payload.length; at += 2)
      view.setInt16(at, Math.round((random() - 0.5) * swing), true);
    return payload;
  }

  /** A chunk of an update in order, whose image is sealed but evil; or one of no use. */
  #chunk(): Uint8Array {
    const random = this.#random;
    if (random() < 0.2) return this.#words(2 + below(random, 50));
    if (this.#update.length === 0) {
      const image = this.#models[below(random, this.#models.length)]!.image.slice();
      if (random() < 0.5) evilImage(random, image);
      this.#update = cutIntoChunks(image, imageHash(image));
    }
    return this.#update.shift()!;
  }
}
