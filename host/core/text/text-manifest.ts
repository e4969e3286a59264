import { ModelError } from "../system/errors.ts";
import { countNumber, fields, list, number, positiveNumber, recordOf, text, wholeNumber } from "../system/shape.ts";

/** The description of a text image for people and hosts. Written as JSON, validated on reading. */
export interface TextManifest {
  readonly name: string; // agent or model name, e.g. "assistant"
  readonly language: string; // BCP 47
  readonly labels: readonly string[]; // intents, in the order of the head's rows
  readonly provenance: { readonly data: string; readonly licence: string; readonly trainedWith: string; readonly seed: number };
  readonly parameters: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly temperature: number; // of the softmax, as calibrated
}

const manifestShape = fields({
  name: text(1),
  language: text(2, 35),
  labels: list(text(1, 64), 2),
  provenance: fields({ data: text(), licence: text(), trainedWith: text(), seed: wholeNumber }),
  parameters: countNumber,
  metrics: recordOf(number()),
  temperature: positiveNumber,
});

function checkManifest(value: unknown): TextManifest {
  const flaw = manifestShape(value, "");
  if (flaw === undefined) return value as TextManifest;
  throw new ModelError("BAD_MANIFEST", `text image: the manifest is not valid at ${flaw.at}: ${flaw.message}. Export the model again.`);
}

/** The MANIFEST section's bytes as a text manifest. */
export function decodeTextManifest(bytes: Uint8Array): TextManifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new ModelError("BAD_MANIFEST", "text image: the manifest is not UTF-8 JSON. Export the model again.", { cause });
  }
  return checkManifest(value);
}

/** Compact JSON, keys in the order of the type, metrics by name: the same manifest gives the same bytes. */
export function encodeTextManifest(manifest: TextManifest): Uint8Array {
  const { name, language, labels, provenance, parameters, metrics, temperature } = checkManifest(manifest);
  const { data, licence, trainedWith, seed } = provenance;
  const ordered: TextManifest = {
    name,
    language,
    labels,
    provenance: { data, licence, trainedWith, seed },
    parameters,
    metrics: Object.fromEntries(
      Object.keys(metrics)
        .sort()
        .map((key) => [key, metrics[key]!]),
    ),
    temperature,
  };
  return new TextEncoder().encode(JSON.stringify(ordered));
}
