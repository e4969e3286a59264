import { createHash, type KeyObject } from "node:crypto";
import { z } from "zod";
import { ABI_HASH, IMAGE_MAX_BYTES, IMAGE_MIN_BYTES } from "../../../assembly/layout.ts";
import { isName } from "../topics.ts";
import { openEnvelope, signEnvelope } from "./signed-envelope.ts";

/** Largest signed manifest, in bytes. */
export const MAX_MANIFEST_BYTES = 2048;

const manifestSchema = z.strictObject({
  v: z.literal(1),
  agent: z.string().refine(isName, "not a name"),
  /** Rises with every release of the agent's model: an older one is never taken back without a newer counter. */
  counter: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  imageHash: z.string().regex(/^[0-9a-f]{64}$/),
  imageBytes: z.int().min(IMAGE_MIN_BYTES).max(IMAGE_MAX_BYTES),
  abiHash: z.int().min(0).max(0xffff_ffff),
});

/** What an operator signs of a model's image: enough to check every byte that arrives later. The same for all nodes. */
export type ModelManifest = z.infer<typeof manifestSchema>;

export type ManifestRefusal = "malformed" | "unsigned" | "other-agent" | "other-abi" | "older";
export type CheckedManifest =
  | { readonly ok: true; readonly manifest: ModelManifest }
  | { readonly ok: false; readonly refusal: ManifestRefusal; readonly reason: string };

/** The manifest of an image. Example: `signModelManifest(manifestOfImage(bytes, "activity", 7), key)`. */
export function manifestOfImage(image: Uint8Array, agent: string, counter: number): ModelManifest {
  const imageHash = createHash("sha256").update(image).digest("hex");
  return { v: 1, agent, counter, imageHash, imageBytes: image.length, abiHash: ABI_HASH };
}

export function signModelManifest(manifest: ModelManifest, key: KeyObject): Uint8Array {
  return signEnvelope("model-manifest", manifestSchema.parse(manifest), key);
}

/** Checks a manifest against what runs here. `counterOf` is the counter of the last one taken for an agent. Any bytes are safe. */
export function checkModelManifest(
  bytes: Uint8Array,
  key: KeyObject,
  node: { readonly agent: string; readonly counterOf: (agent: string) => number },
): CheckedManifest {
  const opened = openEnvelope("model-manifest", bytes, key, MAX_MANIFEST_BYTES);
  if (!opened.ok) return { ok: false, refusal: opened.isAuthentic ? "malformed" : "unsigned", reason: opened.reason };
  const parsed = manifestSchema.safeParse(opened.body);
  if (!parsed.success) return { ok: false, refusal: "malformed", reason: parsed.error.issues[0]?.message ?? "invalid" };
  const manifest = parsed.data;
  if (manifest.agent !== node.agent)
    return { ok: false, refusal: "other-agent", reason: `it is for agent ${manifest.agent}, here runs ${node.agent}` };
  if (manifest.abiHash !== ABI_HASH)
    return { ok: false, refusal: "other-abi", reason: `its ABI is ${hex(manifest.abiHash)}, this core's is ${hex(ABI_HASH)}` };
  const last = node.counterOf(manifest.agent);
  if (manifest.counter <= last) return { ok: false, refusal: "older", reason: `its counter ${manifest.counter} is not above ${last}` };
  return { ok: true, manifest };
}

/** Whether an image that has arrived is the one that was signed; undefined = it is. */
export function flawOfImage(manifest: ModelManifest, image: Uint8Array): string | undefined {
  if (image.length !== manifest.imageBytes) return `${image.length} B arrived, ${manifest.imageBytes} B were signed`;
  const found = createHash("sha256").update(image).digest("hex");
  return found === manifest.imageHash ? undefined : `its SHA-256 is ${found}, ${manifest.imageHash} was signed`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
