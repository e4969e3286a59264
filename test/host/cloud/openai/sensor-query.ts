import type { CloudQuery } from "../../../../host/cloud/provider.ts";

/** The sensor that `sensorQuery` is about. */
export const sensor = { channels: ["ax", "ay"], rateHz: 50, about: "A wrist." };
/** Its labels. */
export const labels = ["still", "walk", "run"];

/** An ask about a window of that sensor: its last quarter is the window. */
export function query(more: Partial<CloudQuery> = {}): CloudQuery {
  return {
    ...{
      id: "00".repeat(16),
      node: "n",
      agent: "a",
      imageHash: "",
      labels,
      tick: 0,
      patchBytes: 8,
      windowPatches: 2,
      deadlineAtMillis: 30_000,
    },
    patches: Int8Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 7 : (i >> 1) % 10)),
    local: { label: 1, confidenceQ15: 16384, exit: 3 },
    ...more,
  };
}
