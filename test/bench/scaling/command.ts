import { createOutput } from "../../../host/core/system/output.ts";
import type { CliIo } from "../../../host/core/system/surroundings.ts";
import { table } from "../../../host/core/system/table.ts";
import { commit, machine } from "../machine.ts";
import { readScalingFile, type ScalingResults, saveScalingResults } from "./results.ts";
import { measureRoofline } from "./roofline.ts";
import { measureScaling } from "./scaling.ts";

export interface ScalingRequest {
  readonly save: boolean;
  readonly draw: boolean;
  readonly json: boolean;
}

/** `bench scaling`: measures and says, with `save` also keeps results and pictures; with `draw` only draws what was kept. */
export async function benchScaling(io: CliIo, { save, draw, json }: ScalingRequest): Promise<void> {
  const out = createOutput(io, json);
  const results: ScalingResults = draw
    ? JSON.parse(readScalingFile())
    : { machine: machine(), commit: commit(), panels: await measureScaling(io, out), roofline: await measureRoofline() };
  for (const { title, unit, lines } of results.panels)
    for (const { name, points } of lines)
      out.say(`${title}, ${name}: ${points.map(([size, cost]) => `${size}: ${cost.toFixed(1)}`).join(", ")} (${unit}).`);
  const { bandwidths, peaks, points } = results.roofline;
  for (const { name, bytesPerSecond } of bandwidths) out.say(`${name}: ${(bytesPerSecond / 1e9).toFixed(1)} GB/s.`);
  for (const { name, macsPerSecond } of peaks) out.say(`${name}: ${(macsPerSecond / 1e9).toFixed(1)} GMAC/s.`);
  const rows = points.map((p) => [p.name, p.build, p.macsPerByte.toFixed(2), (p.macsPerSecond / 1e9).toFixed(2)]);
  for (const row of table(["kernel", "build", "MAC/B", "GMAC/s"], rows)) out.say(row);
  if (save || draw) for (const path of saveScalingResults(results)) out.note(`wrote ${path}`);
  out.document(results);
}
