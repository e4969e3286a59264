// Run at prepack: writes dist/c, so that a user of the package needs an ARM gcc and no wabt.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolders } from "../../core/system/folder.ts";
import { packageRoot } from "../../core/system/package-root.ts";
import { C_MODULES, type CModuleName, moduleWasm } from "./generated-c.ts";
import { wasmToC } from "./wasm-to-c.ts";

const folderOfAll = join(packageRoot(), "dist", "c");
rmSync(folderOfAll, { recursive: true, force: true });
for (const name of Object.keys(C_MODULES) as CModuleName[]) {
  const { symbols } = C_MODULES[name];
  const folder = join(folderOfAll, name);
  makeFolders(folder);
  const { source, header } = wasmToC(moduleWasm(name), symbols);
  writeFileSync(join(folder, `${symbols}.c`), source);
  writeFileSync(join(folder, `${symbols}.h`), header);
}
