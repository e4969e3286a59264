import type { ModelImage } from "../../core/image/image-types.ts";
import { chooseForm } from "./ask-form.ts";
import type { AskInputOptions } from "./ask-inputs.ts";
import { largestWithin, type PrivacyBudget } from "./privacy-budget.ts";

/** How large an ask would be now; a governor prices it. Times in seconds, as the privacy budget has them. */
export interface AskSizes {
  readonly contextBytes: number;
  /** Bytes in the declared form that is worth most; 0: none may go. */
  bytes(atSeconds: number): number;
  /** Patches of context that may go, at least a window; 0: no form may. */
  patches(atSeconds: number): number;
}

/** Sizes of whole contexts and windows, as privacy allows them. Features are the whole context if it fits, else the window. */
export function createAskSizes(image: ModelImage, { inputs, worthAKilobyte = 0 }: AskInputOptions, privacy: PrivacyBudget): AskSizes {
  const patchBytes = image.channels * image.patchFrames;
  const contextBytes = image.contextPatches * patchBytes;
  const windowBytes = image.windowPatches * patchBytes;
  const declared = inputs ?? [{ form: "features", worth: 1 }];
  const featureBytes = (at: number): number => largestWithin(privacy.allowedBytes(at), [contextBytes, windowBytes]);
  function bytes(at: number): number {
    const bytesOf = { raw: 2 * windowBytes, features: featureBytes(at), activations: image.windowPatches * image.dModel };
    const offers = declared.map(({ form, worth }) => ({ form, worth, bytes: bytesOf[form] }));
    const limits = { allowedBytes: privacy.allowedBytes(at), maxBytes: Number.POSITIVE_INFINITY, worthAKilobyte };
    return chooseForm(offers, limits)?.bytes ?? 0;
  }
  return {
    contextBytes,
    bytes,
    patches: (at) => (bytes(at) === 0 ? 0 : Math.max(image.windowPatches, featureBytes(at) / patchBytes)),
  };
}
