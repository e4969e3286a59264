import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { rooflinePicture, scalingPicture } from "./draw.ts";
import type { Roofline } from "./roofline.ts";
import type { ScalingPanel } from "./scaling.ts";

/** What `bench scaling --save` measured, on which machine, of which commit. */
export interface ScalingResults {
  readonly machine: string;
  readonly commit: string;
  readonly panels: readonly ScalingPanel[];
  readonly roofline: Roofline;
}

const FOLDER = "test/bench/results";
const RESULTS = "scaling.json";

/** The pictures of the results, by file name. */
export function drawResults({ panels, roofline }: ScalingResults): Readonly<Record<string, string>> {
  return { "scaling.svg": scalingPicture(panels), "roofline.svg": rooflinePicture(roofline) };
}

export function readScalingFile(name = RESULTS): string {
  return readFileSync(join(packageRoot(), FOLDER, name), "utf8");
}

/** Writes results and pictures, four digits each, to test/bench/results. Returns the paths. */
export function saveScalingResults(results: ScalingResults): string[] {
  const short = (value: unknown): unknown => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value);
  const json = JSON.stringify(results, (_key, value) => short(value), 2);
  const files = { [RESULTS]: `${json}\n`, ...drawResults(JSON.parse(json) as ScalingResults) };
  return Object.entries(files).map(([name, content]) => {
    writeFileSync(join(packageRoot(), FOLDER, name), content);
    return join(FOLDER, name);
  });
}
