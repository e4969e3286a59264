import { dataDir } from "./require.ts";

/** Runs once, before any spec: recordings are unpacked by one process, and found by the others. */
export default function setup(): void {
  dataDir();
}
