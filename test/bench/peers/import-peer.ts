import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../../host/core/system/package-root.ts";

/** A package of test/bench/peers/package.json, which `npm run bench:peers` installs there. */
export async function importPeer<T>(name: string): Promise<T> {
  const file = createRequire(join(packageRoot(), "test/bench/peers/package.json")).resolve(name);
  const loaded = (await import(pathToFileURL(file).href)) as T & { readonly default?: T };
  return loaded.default ?? loaded;
}
