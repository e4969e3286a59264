import * as layout from "../../../assembly/layout.ts";
import { ModelError } from "../system/errors.ts";

interface StatusText {
  readonly code: string;
  readonly text: string;
}

/** Status codes of the core in words: what is wrong and what to do. */
const TEXTS: ReadonlyMap<number, StatusText> = new Map([
  [layout.STATUS_IMAGE_TOO_SHORT, { code: "IMAGE_TRUNCATED", text: "the image is too short: copy or download it again" }],
  [
    layout.STATUS_IMAGE_MISALIGNED,
    { code: "IMAGE_MISALIGNED", text: "the image does not start at a multiple of 16 bytes: align its flash slot" },
  ],
  [layout.STATUS_BAD_MAGIC, { code: "BAD_MAGIC", text: "this is no Dormouse image (no DMM1 at its start): give a .dmm file" }],
  [layout.STATUS_BAD_VERSION, { code: "BAD_VERSION", text: "the image format's version is not the core's: export the model again" }],
  [layout.STATUS_OTHER_CORE, { code: "OTHER_CORE", text: "the image was made for another core: export the model with this version" }],
  [layout.STATUS_BAD_SIZE, { code: "IMAGE_TRUNCATED", text: "the image's length is not the one in its header: copy or download it again" }],
  [layout.STATUS_BAD_CRC, { code: "BAD_CRC", text: "the image's checksum does not match: it is corrupt, copy or download it again" }],
  [layout.STATUS_BAD_SECTIONS, { code: "BAD_SECTIONS", text: "the image's section table is not valid: export the model again" }],
  [layout.STATUS_BAD_FLAGS, { code: "BAD_FLAGS", text: "the image uses features that this core does not know: update Dormouse" }],
  [
    layout.STATUS_UNKNOWN_BLOCK_KIND,
    {
      code: "UNKNOWN_BLOCK_KIND",
      text: "the image has a kind of block that is not run here: update Dormouse, or export the model without it",
    },
  ],
  [layout.STATUS_UNKNOWN_SECTION, { code: "UNKNOWN_SECTION", text: "the image has a section that is not known here: update Dormouse" }],
  [
    layout.STATUS_UNKNOWN_SECTION_VERSION,
    { code: "UNKNOWN_SECTION_VERSION", text: "the image has a newer version of a section: update Dormouse" },
  ],
  [layout.STATUS_BAD_CONFIG, { code: "BAD_CONFIG", text: "the model's dimensions are outside the core's limits" }],
  [layout.STATUS_BAD_FEATURES, { code: "BAD_FEATURES", text: "the scales of the input channels are not valid" }],
  [layout.STATUS_BAD_BLOCK, { code: "BAD_BLOCK", text: "a block's shape is not valid" }],
  [layout.STATUS_BAD_LINEAR, { code: "BAD_LINEAR", text: "a linear layer's shape does not fit its place" }],
  [layout.STATUS_BAD_MULTIPLIER, { code: "BAD_MULTIPLIER", text: "a multiplier or shift is out of range or may overflow" }],
  [layout.STATUS_BAD_PADDING, { code: "BAD_PADDING", text: "a row of weights has padding that is not zero" }],
  [layout.STATUS_BAD_TENSOR, { code: "BAD_TENSOR", text: "an array lies outside the image's tensors or is not aligned" }],
  [layout.STATUS_BAD_SCAN, { code: "BAD_SCAN", text: "a scan's decay, skip or shift is outside the range that keeps its state bounded" }],
  [layout.STATUS_BAD_TABLES, { code: "BAD_TABLES", text: "the tables of exp and softplus are not the core's" }],
  [layout.STATUS_BAD_EXIT, { code: "BAD_EXIT", text: "an exit's place, threshold or temperature is not valid" }],
  [layout.STATUS_BAD_BIAS, { code: "BAD_BIAS", text: "a bias is so large that a sum may overflow" }],
  [layout.STATUS_BAD_LDA, { code: "BAD_LDA", text: "the weights of a window's statistics are not valid" }],
  [layout.STATUS_BAD_PLAUSIBILITY, { code: "BAD_PLAUSIBILITY", text: "the rules of plausible frames are not valid" }],
  [layout.STATUS_BAD_SMOOTHING, { code: "BAD_SMOOTHING", text: "the costs of changing label are not valid" }],
  [layout.STATUS_ARENA_TOO_SMALL, { code: "ARENA_TOO_SMALL", text: "the model needs more memory than it was given" }],
  [layout.STATUS_ARENA_MISALIGNED, { code: "ARENA_MISALIGNED", text: "the arena does not start at a multiple of 16 bytes" }],
  [layout.STATUS_ARENA_OVERLAPS_IMAGE, { code: "ARENA_OVERLAPS_IMAGE", text: "the arena and the image overlap" }],
  [
    layout.STATUS_BAD_SET_POINT,
    { code: "BAD_SET_POINT", text: "the set-point is out of range and was not applied; the one before stays in force" },
  ],
  [
    layout.STATUS_BAD_SNAPSHOT,
    { code: "BAD_SNAPSHOT", text: "the snapshot is corrupt or of another version; the state was left as it is" },
  ],
  [
    layout.STATUS_SNAPSHOT_OF_OTHER_IMAGE,
    { code: "SNAPSHOT_OF_OTHER_IMAGE", text: "the snapshot was taken with another model image; the state was left as it is" },
  ],
]);

/** A core status (negative) as an error; `detail` says what was found. */
export function statusError(status: number, subject: string, detail = ""): ModelError {
  const known = TEXTS.get(status) ?? { code: "CORE_STATUS", text: `the core returned status ${status}` };
  return new ModelError(known.code, `${subject}: ${known.text}${detail === "" ? "" : ` (${detail})`}.`);
}
