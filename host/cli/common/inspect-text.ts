import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { readFormat, readSections, SECTION_NAMES } from "../../core/image/image-header.ts";
import { describeRuns, textRuns } from "../../core/image/runs.ts";
import type { Output } from "../../core/system/output.ts";
import { bytesText, percentText, table } from "../../core/system/table.ts";
import { IntentModel } from "../../core/text/intent-model.ts";

/** What a text image holds, as `inspect --json` prints it. Throws ModelError where the image is not valid. */
export function inspectText(path: string, bytes: Uint8Array) {
  const model = IntentModel.load(bytes, "scalar");
  const { image, manifest } = model;
  const { rows, dModel, nClasses, threshold } = image;
  return {
    kind: "text-image",
    path,
    name: manifest.name,
    hash: model.imageHash,
    format: readFormat(bytes),
    runs: describeRuns(textRuns),
    imageBytes: model.imageBytes,
    arenaBytes: model.arenaBytes,
    parameters: manifest.parameters,
    labels: manifest.labels,
    shapes: { rows, dModel, nClasses },
    threshold: threshold >= EXIT_NEVER ? null : threshold / 32768, // as the core applies it
    sections: [...readSections(bytes)].map(([kind, { offset, bytes: size, count }]) => ({
      section: SECTION_NAMES.get(kind)!,
      offset,
      bytes: size,
      count,
    })),
    manifest,
  };
}

export function sayText(out: Output, document: ReturnType<typeof inspectText>): void {
  const { name, hash, imageBytes, arenaBytes, parameters, labels, shapes, threshold, sections, manifest } = document;
  out.say(`${name}: ${parameters} parameters, ${bytesText(imageBytes)} image, ${bytesText(arenaBytes)} arena`);
  out.say(`image hash ${hash}`);
  out.say(`format ${document.format}, a text model: language ${manifest.language}, ${labels.length} intents`);
  out.say(`table (${shapes.rows}, ${shapes.dModel}) s8, head ${shapes.dModel} → ${shapes.nClasses}, temperature ${manifest.temperature}`);
  out.say(threshold === null ? "answers nothing by itself" : `answers from ${percentText(threshold, 1)}`);
  out.say(`intents ${labels.join(", ")}`);
  out.say();
  const rows = sections.map((one) => [one.section, one.offset, one.bytes, one.count]);
  for (const line of table(["section", "offset", "bytes", "count"], rows)) out.say(line);
  out.say();
  out.say(`data ${manifest.provenance.data}; licence ${manifest.provenance.licence}`);
}
