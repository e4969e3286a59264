#!/usr/bin/env node
import module from "node:module";
import { systemReason } from "../core/system/private-file.ts";

// The command's own file, dist/dormouse.js. It loads the rest, so that a failure to load is reported in one sentence.

const PROGRAM = "./cli.js"; // cli.ts, bundled

const MEND: Readonly<Record<string, string>> = {
  EMFILE: "Raise the limit of this shell or service: ulimit -n 1024",
  ENFILE: "Close other programs, or raise the system's limit (sysctl fs.file-max)",
  ERR_MODULE_NOT_FOUND: "Install Dormouse again: npm ci",
};

try {
  (module as { enableCompileCache?: () => void }).enableCompileCache?.(); // Node 22.1 and later keep the compiled code between starts
  await import(PROGRAM);
} catch (error) {
  const mend = MEND[(error as NodeJS.ErrnoException).code ?? ""];
  if (mend === undefined) throw error;
  process.stderr.write(`dormouse: cannot load its program: ${systemReason(error)}. ${mend}.\n`);
  process.exit(1);
}
