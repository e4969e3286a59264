import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { hostRuns } from "../../../../host/core/image/runs.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { replaceHeader, replaceRuntime } from "../../../../host/firmware/c/c-template.ts";
import { moduleWasm } from "../../../../host/firmware/c/generated-c.ts";
import { wasmToC } from "../../../../host/firmware/c/wasm-to-c.ts";
import { needTools } from "../../../support/tools.ts";

const flag = "static bool s_module_initialized = false;\n";

describe("the memory block of generated C", () => {
  it("is refused by name when its text is not the known one", () => {
    const source = `#include <math.h>\n#include "core.h"\n#define RANGE_CHECK nothing\n${flag}`;
    expect(() => replaceRuntime(source, "core.h", "1.0.32")).toThrow(
      /wasm2c 1\.0\.32 wrote another template.*memory macros.*wabt 1\.0\.32/,
    );
  });

  it("is refused when there is none", () => {
    expect(() => replaceRuntime('#include "core.h"\n', "core.h", "1.0.32")).toThrow(/no initialisation flag/);
    expect(() => replaceHeader("typedef int x;\n", "1.0.32")).toThrow(/does not include wasm-rt.h once/);
  });
});

describe("wasm to C (needs wabt)", () => {
  beforeEach((context) => needTools(context, "wasm2c"));

  it("gives the same text twice, with no path in it", () => {
    const wasm = moduleWasm("core");
    const once = wasmToC(wasm, "core");
    expect(wasmToC(wasm, "core")).toEqual(once);
    expect(`${once.source}${once.header}`).not.toMatch(/\/tmp|wasm-rt\.h"|RANGE_CHECK/);
  });

  it("refuses calls through a table", () => {
    // (module (table 1 funcref) (func (export "f") i32.const 0 call_indirect))
    const wasm = Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 4, 4, 1, 0x70, 0, 1],
      ...[7, 5, 1, 1, 0x66, 0, 0, 10, 9, 1, 7, 0, 0x41, 0, 0x11, 0, 0, 0x0b],
    ]);
    expect(() => wasmToC(wasm, "table")).toThrow(/through a table/);
  });

  for (const safe of [0, 1]) {
    it(`compiles without a warning; the ${safe === 1 ? "safe variant traps on an address outside memory" : "fast variant runs"} (needs gcc)`, (context) => {
      needTools(context, "gcc");
      const folder = mkdtempSync(join(tmpdir(), "dormouse-test-"));
      try {
        const { source, header } = wasmToC(moduleWasm("core"), "core");
        writeFileSync(join(folder, "core.c"), source);
        writeFileSync(join(folder, "core.h"), header);
        writeFileSync(join(folder, "main.c"), MAIN);
        const flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fno-strict-aliasing", `-DDORMOUSE_SAFE=${safe}`];
        execFileSync("gcc", [...flags, "-I", join(packageRoot(), "boards", "common"), "core.c", "main.c", "-o", "main"], { cwd: folder });
        const said = execFileSync(join(folder, "main"), { encoding: "utf8" });
        expect(said.split("\n")[0]).toBe(`runs ${hostRuns.join(" ")}`);
        expect(said).toContain(safe === 1 ? "trap 1" : "status -1"); // an image outside memory, and one of no bytes
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  it("names the exports in its header, over our runtime's types", () => {
    const { header } = wasmToC(moduleWasm("core"), "core");
    expect(header).toContain("Z_coreZ_pushFrame");
    expect(readFileSync(join(packageRoot(), "boards", "common", "dormouse-rt.h"), "utf8")).toContain("wasm_rt_memory_t");
  });
});

const MAIN = `
#include <stdio.h>
#include <stdlib.h>
#include "core.h"
static uint8_t memory[65536 + 64];
void wasm_rt_trap(wasm_rt_trap_t code) { printf("trap %d\\n", (int)code); exit(0); }
void wasm_rt_allocate_memory(wasm_rt_memory_t *m, uint32_t pages, uint32_t most) {
  (void)pages; (void)most;
  m->data = memory; m->size = 65536; m->image = 0; m->imageBytes = 0;
}
void wasm_rt_free_memory(wasm_rt_memory_t *m) { (void)m; }
int main(void) {
  static Z_core_instance_t core;
  Z_core_init_module();
  Z_core_instantiate(&core);
  Z_coreZ__initialize(&core);
  printf("runs %u %u %u %u\\n", Z_coreZ_runs(&core, 0), Z_coreZ_runs(&core, 1), Z_coreZ_runs(&core, 2), Z_coreZ_runs(&core, 3));
  fflush(stdout);
  printf("status %d\\n", (int)Z_coreZ_prepare(&core, 1024, 0, 32768, 0)); /* no bytes: a status in both variants */
  fflush(stdout);
#if DORMOUSE_SAFE
  Z_coreZ_prepare(&core, 65536, 4096, 32768, 0); /* outside memory: only the safe variant notices */
#endif
  return 0;
}
`;
