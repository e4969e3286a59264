import * as layout from "../../../assembly/layout.ts";
import { crc32 } from "../arithmetic/crc32.ts";
import type { Tail } from "./tail.ts";

/** Header and tail; `imageCrc32` is the image header's. The same bytes in every engine. Core: assembly/snapshot.ts. */
export function writeSnapshot(tail: Tail, imageCrc32: number): Uint8Array {
  const header = [layout.SNAPSHOT_MAGIC, layout.SNAPSHOT_VERSION, imageCrc32, tail.bytes.length, crc32(tail.bytes), 0, 0, 0];
  const out = new Uint8Array(layout.SNAPSHOT_HEADER_BYTES + tail.bytes.length);
  out.set(new Uint8Array(Uint32Array.from(header).buffer));
  out.set(tail.bytes, layout.SNAPSHOT_HEADER_BYTES);
  return out;
}
