/**
 * What a row of an ask's `patches` is, most telling of the wearer first; a worker continues from there. Rows are `patchBytes` long,
 * oldest first:
 *
 * | form          | row                                                                                                         |
 * |---------------|-------------------------------------------------------------------------------------------------------------|
 * | `raw`         | the frames of one patch as the sensor gave them, (patchFrames, channels) s16, little-endian                 |
 * | `features`    | one patch as the model embeds it, (patchFrames, channels) s8; the form of an ask that names none            |
 * | `activations` | what the head of exit `atExit` of image `imageHash` read at one patch, (dModel,) s8 with 32 = 1             |
 */
export const ASK_FORMS = ["raw", "features", "activations"] as const;
export type AskForm = (typeof ASK_FORMS)[number];
