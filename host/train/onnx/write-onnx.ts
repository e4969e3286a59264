import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { makeFolders } from "../../core/system/folder.ts";
import { writeWhole } from "../../core/system/private-file.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import { readFloatModel } from "../float-forward.ts";
import { CHUNK_PATCHES } from "../net-constants.ts";
import { runFiles } from "../run-folder.ts";
import { exportOnnx, exportOnnxStep, type OnnxExport, type OnnxStepExport } from "./export-onnx.ts";

export interface OnnxFiles extends Omit<OnnxExport, "bytes"> {
  /** Of the second file, a patch at a time. */
  readonly step: Pick<OnnxStepExport, "nodes" | "frames" | "states">;
  readonly agent: string;
  readonly target: "onnx";
  readonly artifacts: readonly { readonly path: string; readonly format: string; readonly bytes: number; readonly sha256: string }[];
}

/**
 * Writes the float weights that `train` left beside the agent's image: `<agent>.onnx` over a window of 32 patches, and `<agent>-step.onnx`
 * over one patch, whose state goes in and comes out.
 */
export function writeOnnx(agent: LoadedAgent, outFolder: string, version: string): OnnxFiles {
  const { name } = agent.definition;
  const weights = join(agent.folder, runFiles.weights);
  if (!existsSync(weights))
    throw new ConfigError(
      "NO_FLOAT_MODEL",
      `${name} has no ${runFiles.weights} in ${agent.folder}, and an image alone has rounded weights: train it (dormouse train), which writes both.`,
    );
  const model = readFloatModel(readWhole(weights), weights);
  const { bytes, ...rest } = exportOnnx(model, CHUNK_PATCHES, { name, version });
  const step = exportOnnxStep(model, { name: `${name}-step`, version });
  makeFolders(outFolder);
  const write = (file: string, bytes: Uint8Array) => {
    const path = join(outFolder, file);
    writeWhole(path, bytes);
    return { path, format: "onnx", bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  };
  return {
    ...{ agent: name, target: "onnx", ...rest },
    step: { nodes: step.nodes, frames: step.frames, states: step.states },
    artifacts: [write(`${name}.onnx`, bytes), write(`${name}-step.onnx`, step.bytes)],
  };
}
