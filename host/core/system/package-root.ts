import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "./errors.ts";

let found: string | undefined;

/** The folder of this package: where dist/, agents/ and boards/ lie, from a bundle in dist/ and from the sources alike. */
export function packageRoot(): string {
  if (found !== undefined) return found;
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "dormouse-edge") {
      found = folder;
      return folder;
    }
    const parent = dirname(folder);
    if (parent === folder) {
      throw new ConfigError(
        "PACKAGE_NOT_FOUND",
        `no package.json of dormouse-edge above ${fileURLToPath(import.meta.url)}: install the package whole.`,
      );
    }
    folder = parent;
  }
}
