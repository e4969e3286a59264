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
import { exportOnnx, type OnnxExport } from "./export-onnx.ts";

export interface OnnxFiles extends Omit<OnnxExport, "bytes"> {
  readonly agent: string;
  readonly target: "onnx";
  readonly artifacts: readonly { readonly path: string; readonly format: string; readonly bytes: number; readonly sha256: string }[];
}

/** Writes `<agent>.onnx`: the float weights that `train` left beside the agent's image, over a window of 32 patches. */
export function writeOnnx(agent: LoadedAgent, outFolder: string, version: string): OnnxFiles {
  const { name } = agent.definition;
  const weights = join(agent.folder, runFiles.weights);
  if (!existsSync(weights))
    throw new ConfigError(
      "NO_FLOAT_MODEL",
      `${name} has no ${runFiles.weights} in ${agent.folder}, and an image alone has rounded weights: train it (dormouse train), which writes both.`,
    );
  const { bytes, ...rest } = exportOnnx(readFloatModel(readWhole(weights), weights), CHUNK_PATCHES, { name, version });
  makeFolders(outFolder);
  const path = join(outFolder, `${name}.onnx`);
  writeWhole(path, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { agent: name, target: "onnx", ...rest, artifacts: [{ path, format: "onnx", bytes: bytes.length, sha256 }] };
}
