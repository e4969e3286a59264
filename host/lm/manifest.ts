import { z } from "zod";
import { ModelError } from "../core/system/errors.ts";

const schema = z.strictObject({
  name: z.string().min(1),
  /** What it was imported from, and under which licence, as far as that is known. */
  source: z.string(),
  licence: z.string(),
  parameters: z.int().nonnegative(),
});

/** What a language image says of itself to people and hosts. */
export type LanguageManifest = z.output<typeof schema>;

/** The MANIFEST section's bytes. Throws BAD_MANIFEST. */
export function decodeLanguageManifest(bytes: Uint8Array): LanguageManifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new ModelError("BAD_MANIFEST", "language image: the manifest is not UTF-8 JSON. Import the model again.", { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ModelError(
    "BAD_MANIFEST",
    `language image: the manifest is not valid at ${issue?.path.join(".") || "its top level"}: ${issue?.message ?? "unknown"}. Import the model again.`,
  );
}

/** Compact JSON, keys in the order of the type: the same manifest gives the same bytes. */
export function encodeLanguageManifest({ name, source, licence, parameters }: LanguageManifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(schema.parse({ name, source, licence, parameters })));
}
