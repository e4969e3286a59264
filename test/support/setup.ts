import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { dataDir } from "./require.ts";

/** Runs once, before any spec: recordings are unpacked by one process and found by the others; firmware that several want is built into one folder. */
export default function setup({ provide }: TestProject): () => void {
  dataDir();
  const builds = mkdtempSync(join(tmpdir(), "dormouse-builds-"));
  provide("builds", builds);
  return () => rmSync(builds, { recursive: true, force: true });
}
