import { DataError } from "../../core/system/errors.ts";
import type { FloatModel } from "../float-forward.ts";
import { OnnxGraph } from "./graph.ts";
import { type OnnxState, StepGraph } from "./step-graph.ts";
import { WindowGraph } from "./window-graph.ts";

export interface OnnxExport {
  readonly bytes: Uint8Array;
  readonly nodes: number;
  /** Input `frames`: float32 (frames, channels), counts as the sensor gives them. Outputs `exit0` …: float32 (classes,), logits. */
  readonly frames: number;
  readonly channels: number;
  readonly exits: number;
}

/** One patch at a time: `frames` are those of a patch, and besides the logits each state goes in and comes out. */
export interface OnnxStepExport extends OnnxExport {
  readonly states: readonly OnnxState[];
}

interface About {
  readonly name: string;
  readonly version: string;
}

/**
 * The net in floating point as an ONNX graph of one whole window of `patches` patches from a reset state: what other runtimes can run. The
 * scan takes one chunk, so its cost grows with the square of the window. Neither the LDA head nor smoothing is part of it. `patches` from
 * 1 to 512.
 */
export function exportOnnx(model: FloatModel, patches: number, about: About): OnnxExport {
  if (!Number.isInteger(patches) || patches < 1 || patches > 512)
    throw new DataError("BAD_WINDOW", `a window of ${patches} patches cannot be exported: give 1 to 512.`);
  const g = new OnnxGraph();
  new WindowGraph(g, model, patches).draw();
  return encode(g, model, about, patches, `${patches} patches`);
}

/** The same net as a graph of one patch, with its state as inputs and outputs: for streams without an end. */
export function exportOnnxStep(model: FloatModel, about: About): OnnxStepExport {
  const g = new OnnxGraph();
  const net = new StepGraph(g, model);
  net.draw();
  return { ...encode(g, model, about, 1, "one patch and states"), states: net.states };
}

function encode(g: OnnxGraph, { config, parameters }: FloatModel, about: About, patches: number, window: string): OnnxExport {
  const count = Object.values(parameters).reduce((sum, { length }) => sum + length, 0);
  const bytes = g.encode(about.name, {
    producer: "dormouse-edge",
    version: about.version,
    properties: { parameters: String(count), window },
  });
  return { bytes, nodes: g.nodes, frames: patches * config.patchFrames, channels: config.channels, exits: config.exits.length };
}
