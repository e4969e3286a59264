import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { areImuChannels } from "../core/image/imu-channels.ts";
import { makeFolders } from "../core/system/folder.ts";
import { writeWhole } from "../core/system/private-file.ts";
import { memberDir } from "./member-dir.ts";
import type { RunMetrics } from "./metrics.ts";
import { runFiles } from "./run-folder.ts";
import type { AgentTraining } from "./training.ts";

const mostLines = 3; // of a kept file's differences that are printed

/**
 * Writes what makes a folder with model.dmm an agent: agent.ts, and a CARD.md to be completed by its author. Those that are there are
 * written anew only while they are as `train` left them. `outDir`: where the ensemble was trained, whose images come into the folder too.
 */
export function writeAgentFolder(dir: string, training: AgentTraining, metrics: RunMetrics, outDir?: string): void {
  const teachers = outDir === undefined ? [] : copyTeachers(dir, training, outDir);
  const texts = { [runFiles.agent]: agentSource(training, teachers), [runFiles.card]: cardText(training, metrics) };
  const before = generatedIn(dir);
  for (const [name, text] of Object.entries(texts)) {
    const path = join(dir, name);
    if (!existsSync(path) || readFileSync(path, "utf8") === before[name]) writeWhole(path, text);
  }
  writeWhole(join(dir, runFiles.generated), `${JSON.stringify(texts, undefined, 1)}\n`);
}

/** Says which files of a trained agent's folder were kept as their author left them, and what `train` would have them say. */
export function keptFiles(dir: string): string[] {
  return Object.entries(generatedIn(dir)).flatMap(([name, text]) => {
    const path = join(dir, name);
    const lines = existsSync(path) ? new Set(readFileSync(path, "utf8").split("\n")) : undefined;
    const missing = text.split("\n").filter((line) => lines && !lines.has(line));
    if (missing.length === 0) return [];
    const told = missing.slice(0, mostLines).map((line) => line.trim().slice(0, 160));
    const more = missing.length > mostLines ? ` … and ${missing.length - mostLines} more lines` : "";
    return [
      `Kept ${path}, which is not as a training last left it. This training would write: ${told.join(" / ")}${more}. Delete the file to have it anew.`,
    ];
  });
}

const generatedSchema = z.record(z.string(), z.string());

/** The generated files as they were last made; none where that is not known. */
function generatedIn(dir: string): Record<string, string> {
  const path = join(dir, runFiles.generated);
  if (!existsSync(path)) return {};
  try {
    return generatedSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return {}; // then every file is taken for its author's
  }
}

/** The images of the ensemble beside the agent's, so that its folder is whole. Returns their names in it. */
function copyTeachers(dir: string, { ensemble }: AgentTraining, outDir: string): string[] {
  return (ensemble?.members ?? []).map((member) => {
    const name = `teacher/${member.name}.dmm`;
    makeFolders(join(dir, "teacher"));
    copyFileSync(join(memberDir(outDir, member), runFiles.image), join(dir, name));
    return name;
  });
}

function agentSource({ name, manifest }: AgentTraining, teachers: readonly string[]): string {
  const cloud = teachers.length === 0 ? "" : `\n  teacher: ${JSON.stringify(teachers).replaceAll(",", ", ")},`;
  return `import { defineAgent } from "dormouse-edge";

export default defineAgent({
  name: ${JSON.stringify(name)},
  model: "model.dmm",${cloud}
  data: "csv",
  sensor: { kind: "${areImuChannels(manifest.channels) ? "imu" : "custom"}", rateHz: ${manifest.frameRateHz}, channels: ${manifest.channels.length}, orientation: ${JSON.stringify(manifest.orientation)} },
});
`;
}

function cardText(
  { name, manifest, split, guarantee }: AgentTraining,
  { heldOut, parameters, imageBytes, exits, steps, seed, phase }: RunMetrics,
): string {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const channels = manifest.channels.map((channel) => `| ${channel.name} | ${channel.unit || "–"} | ${channel.countsPerUnit} |`);
  const rows = exits.map(({ thresholdQ15 }, k) => {
    const threshold = thresholdQ15 <= 32768 ? (thresholdQ15 / 32768).toFixed(3) : "never";
    return `| ${k + 1} | ${percent(heldOut.window.accuracy[k]!)} | ${percent(heldOut.stream.accuracy[k]!)} | ${threshold} |`;
  });
  return `# Model card: ${name}

Tells apart: ${manifest.labels.join(", ")}. ${parameters} parameters, image ${imageBytes} B, ${manifest.frameRateHz} Hz.

**For**: complete this. **Not for**: complete this. Who was recorded, where the sensor sat, who agreed to what: complete this.

## Data

${manifest.provenance.data}. Licence: ${manifest.provenance.licence}.

| channel | unit | counts a unit |
|---|---|---|
${channels.join("\n")}

Axes and orientation: ${manifest.orientation}. Complete this: where the sensor sat, and which way each axis pointed.

| list | wearers |
|---|---|
| fit | ${split.fit.join(" ")} |
| select | ${split.select.join(" ")} |
| calibrate | ${split.calibrate.join(" ")} |
| test | ${split.test.join(" ")} |

Wearers in ascending order, counted from 0: position mod 5 = 1 tests, 2 calibrates, 4 selects, the rest fit; with fewer than five nobody selects.

## Results on the ${phase === "select" ? "select" : "calibrate"} wearers

${steps} steps, seed ${seed}. The test wearers have not been looked at: \`dormouse eval\` on this folder scores them.

| exit | window | stream | answers from |
|---|---|---|---|
${rows.join("\n")}
${guarantee ? `\nThresholds: at most ${percent(guarantee.alpha)} wrong of what is answered, at ${percent(1 - guarantee.delta)} confidence, for decisions like the calibrate wearers'; a new wearer is not one of them.\n` : ""}`;
}
