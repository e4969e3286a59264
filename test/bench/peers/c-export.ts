import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAgent } from "../../../host/agent/registry.ts";
import { readSyntheticParameters } from "../../../host/agent/sensors/synthetic-sensor.ts";
import { quantiseFrame } from "../../../host/core/arithmetic/features.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createSyntheticWearer } from "../../../host/data/synthetic.ts";
import { exportPortable } from "../../../host/firmware/portable/portable-export.ts";
import { PORTABLE_FLAGS } from "../../../host/firmware/portable/portable-layout.ts";
import { median } from "../measure.ts";
import { writeFloatNet } from "./float-net.ts";

const WINDOWS = 20;
const ROUNDS = 20; // per turn: the least time counts, another program on the machine makes runs longer, never shorter
/** gcc for the processor that it runs on. */
export const NATIVE = "-march=native";

/** A program, its least microseconds per window in each turn, and their median. */
export interface WindowTime {
  readonly name: string;
  readonly micros: number;
  /** Against plain float C at -O3: the median of the ratios of the turns. */
  readonly ratio: number;
}

/** How far the last exit's logits of the float net lie from the export's, Q10 (median), and how often both name the same class. */
export interface CExportReport {
  readonly times: readonly WindowTime[];
  readonly logitDistance: number;
  readonly sameLabel: number;
}

/** Source files of a library of the C target. */
export function portableSources(root: string): string[] {
  return ["dormouse", "dormouse_core", "dormouse_kernels", "dormouse_linear", "dormouse_model"].map((name) =>
    join(root, "src", `${name}.c`),
  );
}

/** A window of the activity agent: the C export as it ships and without its LDA head, against the same net in plain float C. In turns. */
export async function benchCExport(turns = 9): Promise<CExportReport> {
  const agent = await loadAgent("activity");
  const image = readImage(new Uint8Array(readFileSync(agent.modelPath)));
  const folder = mkdtempSync(join(tmpdir(), "dormouse-peers-"));
  try {
    const { lda: _, smoothing: __, exits, ...net } = image;
    const alone = { ...net, exits: exits.map(({ smoothedTemperature: _, ...exit }) => exit) };
    const alonePath = join(folder, "alone.dmm");
    writeFileSync(alonePath, writeImage(alone));
    await exportPortable({ agent, target: "c", outFolder: join(folder, "shipped") });
    await exportPortable({ agent: { ...agent, modelPath: alonePath }, target: "c", outFolder: join(folder, "alone") });
    writeFileSync(join(folder, "net.h"), writeFloatNet(image));

    const wearer = createSyntheticWearer({ parameters: readSyntheticParameters(agent.syntheticPath!), seed: 3 });
    const length = image.windowPatches * image.patchFrames;
    const frames = Array.from({ length: WINDOWS * length }, () => wearer.next().frame.slice());
    writeFileSync(join(folder, "frames.bin"), Buffer.concat(frames.map((frame) => Buffer.from(frame.buffer))));
    writeFileSync(join(folder, "patches.bin"), Buffer.concat(frames.map((frame) => Buffer.from(quantiseFrame(frame, image.features)))));

    const peers = join(packageRoot(), "test/bench/peers");
    const compile = (name: string, flags: readonly string[], sources: readonly string[]): string => {
      const out = join(folder, name);
      execFileSync("gcc", [...flags, "-o", out, ...sources, "-lm"], { stdio: ["ignore", "ignore", "inherit"] });
      return out;
    };
    const exported = (name: string, root: string, flags: readonly string[]) => ({
      name,
      file: compile(
        name,
        ["-std=gnu99", ...flags, "-I", join(folder, root, "include")],
        [...portableSources(join(folder, root)), join(peers, "c-export.c")],
      ),
      args: [join(folder, "frames.bin"), `${ROUNDS}`, `${length}`],
    });
    const float = (name: string, flags: readonly string[]) => ({
      name,
      file: compile(name, ["-std=gnu11", ...flags, "-I", folder], [join(peers, "plain-float.c")]),
      args: [join(folder, "patches.bin"), `${ROUNDS}`],
    });
    const programs = [
      float("plain float C -O3", ["-O3"]),
      float(`plain float C -Ofast ${NATIVE}`, ["-Ofast", NATIVE]),
      exported("C export", "shipped", PORTABLE_FLAGS),
      exported("C export, net alone", "alone", PORTABLE_FLAGS),
      exported(`C export, net alone ${NATIVE}`, "alone", [...PORTABLE_FLAGS, NATIVE]),
    ];
    const said = (p: (typeof programs)[number]) => execFileSync(p.file, p.args, { encoding: "utf8" }).trim().split("\n");
    const logitsOf = (p: (typeof programs)[number]) =>
      said(p)
        .slice(0, WINDOWS)
        .map((line) => line.trim().split(" ").map(Number));
    const [theirs, ours] = [logitsOf(programs[0]!), logitsOf(programs[3]!)];
    const logitDistance = median(ours.flatMap((row, w) => row.map((logit, c) => Math.abs(logit - theirs[w]![c]!))));
    if (!(logitDistance < 128))
      throw new RangeError(`half the logits lie ${logitDistance} from the float net's, and 128 (1/8) at most: it is another net`);
    const label = (logits: readonly number[]) => logits.indexOf(Math.max(...logits));
    const times = programs.map((): number[] => []);
    for (let turn = 0; turn < turns; turn++) for (const [i, p] of programs.entries()) times[i]!.push(Number(said(p).at(-1)));
    return {
      times: programs.map(({ name }, i) => ({
        name,
        micros: median(times[i]!),
        ratio: median(times[i]!.map((micros, turn) => micros / times[0]![turn]!)),
      })),
      logitDistance,
      sameLabel: ours.filter((row, w) => label(row) === label(theirs[w]!)).length / ours.length,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
