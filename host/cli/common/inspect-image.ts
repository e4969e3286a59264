import { EXIT_NEVER, IMAGE_FORMAT_1 } from "../../../assembly/layout.ts";
import { findBlockKind } from "../../core/image/blocks/block.ts";
import { readFormat, readSections, SECTION_NAMES } from "../../core/image/image-header.ts";
import type { LinearTensors, ModelImage, Smoothing } from "../../core/image/image-types.ts";
import { channelsText } from "../../core/image/imu-channels.ts";
import { countLdaOps } from "../../core/image/op-count.ts";
import { describeRuns, hostRuns } from "../../core/image/runs.ts";
import { Model } from "../../core/session/model.ts";
import type { Output } from "../../core/system/output.ts";
import { bytesText, percentText, table } from "../../core/system/table.ts";
import { LOGIT_ONE } from "../../policy/certify/replay.ts";

/** Contents of an image, as `inspect --json` prints them. Throws ModelError if the image is invalid. */
export function inspectImage(path: string, bytes: Uint8Array) {
  const model = Model.load(bytes, { engine: "scalar" });
  const session = model.createSession();
  const { image, manifest } = model;
  return {
    kind: "image",
    path,
    name: manifest.name,
    hash: model.imageHash,
    format: readFormat(bytes),
    needs: { blockKinds: [...new Set(image.blocks.map((block) => findBlockKind(block).kind))].sort((a, b) => a - b) },
    runs: describeRuns(hostRuns),
    imageBytes: model.imageBytes,
    arenaBytes: model.arenaBytes,
    parameters: manifest.parameters,
    labels: manifest.labels,
    shapes: shapesOf(image),
    sections: [...readSections(bytes)].map(([kind, { offset, bytes: size, count }]) => ({
      section: SECTION_NAMES.get(kind)!,
      offset,
      bytes: size,
      count,
    })),
    quantisation: {
      weights: "int8, symmetric, one scale per row",
      activations: "int8",
      state: "int32, 12 fraction bits",
      rows: linears(image).reduce((sum, [, { nOut }]) => sum + nOut, 0),
      saturatedWeights: saturatedShare(image),
    },
    layers: linears(image).map(([layer, { nIn, nOut }]) => ({ layer, nIn, nOut, weightBytes: nIn * nOut })),
    lda: image.lda
      ? { statistics: image.lda.means.length, weightBytes: image.lda.weights.byteLength, macs: countLdaOps(image).macs }
      : null,
    smoothing: image.smoothing ? describeSmoothing(image.smoothing) : null,
    exits: image.exits.map(({ afterBlock, threshold }, exit) => ({
      exit,
      afterBlock,
      ...manifest.calibration[exit],
      threshold: threshold >= EXIT_NEVER ? null : threshold / 32768, // as the core applies it
      ops: session.opCount(exit),
    })),
    manifest,
  };
}

type ImageDocument = ReturnType<typeof inspectImage>;

export function sayImage(out: Output, document: ImageDocument): void {
  const { name, hash, imageBytes, arenaBytes, parameters, labels, shapes, sections, lda, smoothing, exits, manifest, format, needs } =
    document;
  out.say(`${name}: ${parameters} parameters, ${bytesText(imageBytes)} image, ${bytesText(arenaBytes)} arena`);
  out.say(`image hash ${hash}`);
  out.say(`format ${format}, block kinds ${needs.blockKinds.join(", ")}, labels ${labels.join(", ")}`);
  if (format === IMAGE_FORMAT_1) out.say("an older format: dormouse inspect FILE --upgrade OUT writes it in today's");
  out.say(`input ${channelsText(manifest.channels)} at ${shapes.rateHz} Hz, ${shapes.patchFrames} frames per patch`);
  out.say(`orientation ${manifest.orientation || "not stated"}`);
  out.say(
    `window ${shapes.windowPatches} patches, hop ${shapes.hopPatches}, context ${shapes.contextPatches}, rings ${shapes.ringPatches}`,
  );
  out.say(`blocks ${shapes.blocks.join(" → ")}`);
  if (lda !== null) out.say(`LDA head: ${lda.statistics} features, ${lda.macs} MACs per decision`);
  out.say(
    smoothing === null
      ? "each decision stands alone"
      : `Viterbi smoothing: transition cost ${smoothing.leastCost} to ${smoothing.mostCost} logits, ${smoothing.patches} patches weigh once`,
  );
  out.say();
  const rows = exits.map(({ exit, afterBlock, threshold, coverage, errorBound, ops }) => [
    exit + 1,
    afterBlock + 1,
    threshold === null ? "never" : percentText(threshold, 1),
    coverage === undefined ? "–" : percentText(coverage, 1),
    errorBound === undefined ? "–" : percentText(errorBound, 2),
    ops.macs,
    ops.weightBytes,
  ]);
  for (const line of table(
    ["exit", "after block", "answers from", "answers, of all", "error ≤", "MACs per window", "weight bytes read per window"],
    rows,
  ))
    out.say(line);
  out.say("Answers, of all: the share of the calibration decisions that this very exit answers; the shares of the exits add up.");
  out.say();
  for (const line of table(
    ["section", "offset", "bytes", "count"],
    sections.map((one) => [one.section, one.offset, one.bytes, one.count]),
  ))
    out.say(line);
  out.say();
  out.say(`data ${manifest.provenance.data}; licence ${manifest.provenance.licence}`);
}

function describeSmoothing({ shift, transitionCosts: costs }: Smoothing) {
  const nClasses = Math.sqrt(costs.length);
  const ofChanges = [...costs].filter((_, i) => i % (nClasses + 1) !== 0).map((cost) => cost / LOGIT_ONE);
  return { patches: 2 ** shift, leastCost: Math.min(...ofChanges), mostCost: Math.max(...ofChanges) };
}

function shapesOf(image: ModelImage) {
  const { channels, patchFrames, frameRateMillihertz, windowPatches, hopPatches, contextPatches, ringPatches, dModel } = image;
  const rateHz = frameRateMillihertz / 1000;
  return {
    channels,
    rateHz,
    patchFrames,
    windowPatches,
    hopPatches,
    contextPatches,
    ringPatches,
    dModel,
    blocks: image.blocks.map((block) => findBlockKind(block).describe(block)),
  };
}

function linears(image: ModelImage): [string, LinearTensors][] {
  const result: [string, LinearTensors][] = [["embed", image.embed]];
  image.blocks.forEach((block, i) => {
    for (const [part, linear] of Object.entries(findBlockKind(block).linears(block))) result.push([`block ${i + 1} ${part}`, linear]);
  });
  image.exits.forEach((exit, i) => {
    result.push([`exit ${i + 1}`, exit.head]);
  });
  return result;
}

/** Share of the weights at ±127: each row has at least one. */
function saturatedShare(image: ModelImage): number {
  let [saturated, all] = [0, 0];
  for (const [, { weights }] of linears(image)) {
    all += weights.length;
    for (const weight of weights) if (Math.abs(weight) === 127) saturated++;
  }
  return all === 0 ? 0 : saturated / all;
}
