import * as device from "../../assembly/device/layout.ts";
import { LinkError } from "../core/system/errors.ts";

/** The payload of the chunk that announces an image of so many bytes with this image hash. */
export function encodeChunkBegin(imageBytes: number, imageHash: string): Uint8Array {
  const hash = Buffer.from(imageHash, "hex");
  if (hash.length !== 32 || !Number.isInteger(imageBytes) || imageBytes < 0 || imageBytes > 0xffff_ffff) {
    throw new LinkError(
      "CHUNK_FIELDS",
      `an update of ${imageBytes} B with hash "${imageHash}": give the image's bytes and its SHA-256 in hex.`,
    );
  }
  return chunk(device.CHUNK_BEGIN, imageBytes, hash);
}

/** Bytes of the image from `offset`: a multiple of 16, at most CHUNK_DATA_BYTES. */
export function encodeChunkData(offset: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0 || bytes.length > device.CHUNK_DATA_BYTES || bytes.length % 16 !== 0 || offset % 16 !== 0) {
    throw new LinkError(
      "CHUNK_FIELDS",
      `a chunk of ${bytes.length} B at ${offset}: give multiples of 16, at most ${device.CHUNK_DATA_BYTES} B.`,
    );
  }
  return chunk(device.CHUNK_DATA, offset, bytes);
}

/** All of it was sent: check it and take it over. */
export function encodeChunkEnd(): Uint8Array {
  return chunk(device.CHUNK_END, 0, new Uint8Array());
}

/** Forget it. */
export function encodeChunkAbort(): Uint8Array {
  return chunk(device.CHUNK_ABORT, 0, new Uint8Array());
}

/** Every payload of an update, in order. */
export function cutIntoChunks(image: Uint8Array, imageHash: string): Uint8Array[] {
  const payloads = [encodeChunkBegin(image.length, imageHash)];
  for (let at = 0; at < image.length; at += device.CHUNK_DATA_BYTES) {
    payloads.push(encodeChunkData(at, image.subarray(at, at + device.CHUNK_DATA_BYTES)));
  }
  payloads.push(encodeChunkEnd());
  return payloads;
}

function chunk(op: number, word: number, bytes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(device.CHUNK_HEADER_BYTES + bytes.length);
  payload[0] = op;
  new DataView(payload.buffer).setUint32(4, word, true);
  payload.set(bytes, device.CHUNK_HEADER_BYTES);
  return payload;
}
