#!/usr/bin/env node
import module from "node:module";
import { describeLoadFailure } from "../core/system/load-failure.ts";

// The command's own file, dist/dormouse.js. It loads the rest, so that a failure to load is reported in one sentence.

const PROGRAM = "./cli.js"; // cli.ts, bundled

try {
  (module as { enableCompileCache?: () => void }).enableCompileCache?.(); // Node 22.1 and later keep the compiled code between starts
  await import(PROGRAM);
} catch (error) {
  const failure = describeLoadFailure(error);
  if (failure === undefined) throw error;
  process.stderr.write(`dormouse: ${failure}\n`);
  process.exit(1);
}
