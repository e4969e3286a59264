import * as L from "./layout";
import { BLOCK_KINDS } from "./blocks/block";

/** Word `index` of what this core runs: formats, block kinds, newest section versions. An image that needs anything else is refused. */
export function runsWord(index: i32): u32 {
  if (index == 0) return L.RUNS_FORMATS;
  if (index == 1) return BLOCK_KINDS;
  if (index == 2) return L.SECTION_VERSIONS_LOW;
  return index == 3 ? L.SECTION_VERSIONS_HIGH : 0;
}
