import type { Model } from "../core/session/model.ts";
import type { AgentDefinition } from "./define-agent.ts";
import type { LoopModel, LoopOptions } from "./loop-types.ts";

/** What the loop needs of a loaded model. */
export function loopModel({ image, imageHash }: Model): LoopModel {
  return {
    imageHash,
    labels: image.manifest.labels,
    nExits: image.exits.length,
    windowPatches: image.windowPatches,
    hopPatches: image.hopPatches,
    patchBytes: image.channels * image.patchFrames,
    isSmoothed: image.smoothing !== undefined,
  };
}

/** What the loop takes from an agent's definition: every part that the agent declares about its events and asks. */
export function loopAgent({ name, events, asks, alarm, sensor }: AgentDefinition) {
  const { holdSeconds, intervalHops, deadlineSeconds } = asks;
  const declared = { agent: name, stableDecisions: events.stableDecisions, holdSeconds, intervalHops, deadlineSeconds, asks };
  return { ...declared, ...(alarm === undefined ? {} : { alarm }), rateHz: sensor.rateHz } satisfies Partial<LoopOptions>;
}
