import { SECTION_VERSIONS_HIGH, SECTION_VERSIONS_LOW } from "../layout";
import { TEXT_RUNS_FORMATS } from "./layout";

/** Word `index` of what a text core runs: format 2, no block kinds, newest section versions. */
export function runsOfText(index: i32): u32 {
  if (index == 0) return TEXT_RUNS_FORMATS;
  if (index == 2) return SECTION_VERSIONS_LOW;
  return index == 3 ? SECTION_VERSIONS_HIGH : 0;
}
