import * as layout from "../../assembly/layout.ts";
import { crc32 } from "../../host/core/arithmetic/crc32.ts";
import type { ModelImage } from "../../host/core/image/image-types.ts";
import { statusError } from "../../host/core/session/status.ts";
import { createOracleTail, type OracleTail } from "./tail.ts";

const HEADER_WORDS = layout.SNAPSHOT_HEADER_BYTES / 4;

/** The first index that a step could not trust, or undefined. */
function unsoundIndex(image: ModelImage, tail: OracleTail): string | undefined {
  const { words } = tail;
  const { ringPatches, contextPatches } = image;
  const bounds: [name: string, value: number, most: number][] = [
    ["frames in patch", words[layout.TAIL_FRAMES_IN_PATCH]!, image.patchFrames - 1],
    ["has tick", words[layout.TAIL_HAS_TICK]!, 1],
    ["hops since ask", words[layout.TAIL_HOPS_SINCE_ASK]!, layout.HOPS_SINCE_ASK_MAX],
    ["context head", words[layout.TAIL_CONTEXT_HEAD]!, contextPatches - 1],
    ["is smoothed", words[layout.TAIL_IS_SMOOTHED]!, image.smoothing ? 1 : 0],
    ["context count", words[layout.TAIL_CONTEXT_COUNT]!, contextPatches],
  ];
  for (let k = 0; k < tail.rings.length; k++) {
    bounds.push([`ring ${k} head`, words[layout.TAIL_RING_HEAD + k]!, ringPatches - 1]);
    bounds.push([`ring ${k} pending`, words[layout.TAIL_RING_PENDING + k]!, ringPatches + 1]);
  }
  if (image.smoothing) {
    const most = words[layout.TAIL_IS_SMOOTHED] === 1 ? layout.LIMIT_TRANSITION_COST : 0;
    bounds.push(["best score, below 0", -Math.max(...tail.pathScores), 0]);
    bounds.push(["least score, below 0", -Math.min(...tail.pathScores), most]);
  }
  for (const [b, oracle] of tail.oracles.entries())
    for (const [name, value, most] of oracle.bounds()) bounds.push([`block ${b} ${name}`, value, most]);
  const bad = bounds.find(([, value, most]) => value < 0 || value > most);
  return bad && `${bad[0]} is ${bad[1]}, at most ${bad[2]} is possible`;
}

/** Takes a snapshot back into `tail`, or leaves it alone and throws ModelError. */
export function readSnapshot(image: ModelImage, tail: OracleTail, imageCrc32: number, snapshot: Uint8Array): void {
  const fault = (detail: string): Error => statusError(layout.STATUS_BAD_SNAPSHOT, "snapshot", detail);
  const expected = layout.SNAPSHOT_HEADER_BYTES + tail.bytes.length;
  if (snapshot.length !== expected) throw fault(`${snapshot.length} B, this model's has ${expected} B`);
  const words = new Uint32Array(snapshot.slice(0, layout.SNAPSHOT_HEADER_BYTES).buffer, 0, HEADER_WORDS);
  const candidate = createOracleTail(image);
  candidate.bytes.set(snapshot.subarray(layout.SNAPSHOT_HEADER_BYTES));
  if (words[0] !== layout.SNAPSHOT_MAGIC) throw fault("no DMS1 at its start");
  if (words[1] !== layout.SNAPSHOT_VERSION) throw fault("of another version");
  if (words[3] !== tail.bytes.length) throw fault(`its header says ${words[3]} B of state`);
  if (words.subarray(5).some((word) => word !== 0)) throw fault("its reserved words are not 0");
  if (words[4] !== crc32(candidate.bytes)) throw fault("its checksum does not match");
  if (words[2] !== imageCrc32) throw statusError(layout.STATUS_SNAPSHOT_OF_OTHER_IMAGE, "snapshot");
  const unsound = unsoundIndex(image, candidate);
  if (unsound !== undefined) throw fault(unsound);
  tail.bytes.set(candidate.bytes);
}
