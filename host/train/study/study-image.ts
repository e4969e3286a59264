import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { writeImage } from "../../core/image-write.ts";
import { type ExportOptions, exportNet } from "../export.ts";
import { parameterCount } from "../net-config.ts";
import type { TrainedNet } from "../train-net.ts";
import type { AgentTraining } from "../training.ts";

/** A net as a .dmm image that nothing certifies and whose decisions stand alone: for comparing nets in the core, not for shipping. */
export function studyImage(training: AgentTraining, net: TrainedNet, over: Partial<ExportOptions> = {}): Uint8Array {
  const { manifest } = training;
  const { track: _, ...image } = training.image;
  const exits = net.config.exits.map(() => ({ temperature: 1, threshold: EXIT_NEVER }));
  return writeImage(
    exportNet(net, {
      ...image,
      features: training.features,
      exits,
      manifest: {
        name: training.name,
        ...manifest,
        provenance: { ...manifest.provenance, seed: 0 },
        protocol: training.split,
        parameters: parameterCount(net.config),
        metrics: {},
        calibration: exits.map(({ temperature }) => ({ temperature, threshold: EXIT_NEVER / 32768, coverage: 0, errorBound: 1 })),
      },
      ...over,
    }),
  );
}
