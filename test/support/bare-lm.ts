import { align16 } from "../../host/core/arithmetic/align.ts";
import { growTo } from "../../host/core/session/module.ts";
import { instantiateLm, type LmExports } from "../../host/lm/lm-module.ts";
import { build } from "./kernels.ts";

/** A prepared session of an image in an instance's bare memory, with a page to spare behind it. */
export function bareLm(image: Uint8Array, window: number): { core: LmExports; at: number; arena: number; memory: Uint8Array<ArrayBuffer> } {
  const core = instantiateLm(build);
  const at = core.memoryBase();
  const arena = align16(at + image.length);
  growTo(core, arena);
  new Uint8Array(core.memory.buffer).set(image, at);
  core.prepare(at, image.length, arena, 0, window);
  const arenaBytes = core.arenaUsedBytes();
  growTo(core, arena + arenaBytes + 65536);
  const status = core.prepare(at, image.length, arena, arenaBytes, window);
  if (status !== 0) throw new Error(`prepare: status ${status}`);
  return { core, at, arena, memory: new Uint8Array(core.memory.buffer) };
}
