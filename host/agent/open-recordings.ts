import { existsSync } from "node:fs";
import type { Manifest } from "../core/image-types.ts";
import { loadCsv } from "./csv/csv-dataset.ts";
import { holdsCsv } from "./csv/csv-folder.ts";
import type { AgentDefinition } from "./define-agent.ts";
import { loadHapt } from "./hapt.ts";
import type { Dataset } from "./recording.ts";
import { loadSisFall } from "./sisfall.ts";

/** Recordings for a model: CSV files as its manifest says, where its agent names them or the folder holds some, else the layout that its agent names. Throws DataError. */
export function openRecordings(path: string, manifest: Manifest, layout: AgentDefinition["data"]): Dataset {
  if (layout === "csv" || (existsSync(path) && holdsCsv(path))) return loadCsv(path, manifest);
  return layout === "sisfall" ? loadSisFall(path) : loadHapt(path);
}
