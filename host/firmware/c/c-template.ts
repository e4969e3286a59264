import { createHash } from "node:crypto";
import { FirmwareError } from "../../core/system/errors.ts";

/** SHA-256 of what wasm2c writes above every module (without the line that includes the module's header), by version. */
const TEMPLATES: ReadonlyMap<string, string> = new Map([["1.0.32", "a39b664dc0a038fb6109e441b55b1e8d4c57bd9ac6e7cb236447e4bfed64f878"]]);

/** Revision of the generated C; a new one discards C of older revisions. */
export const TEMPLATE_REVISION = 2;

/** The versions of wasm2c whose output is known. */
export const knownVersions: readonly string[] = [...TEMPLATES.keys()];

const PROLOGUE_END = "static bool s_module_initialized = false;\n";

/** What of the rest is left out: start-up that only matters to modules with tables, and its assertions. Each must be there `times`. */
const LEFT_OUT: readonly { readonly what: string; readonly pattern: RegExp; readonly times: number }[] = [
  { what: "the initialisation flag", pattern: /^static bool s_module_initialized = false;\n/gm, times: 1 },
  {
    what: "the function types",
    pattern: /^static u32 func_types\[\d+\];\n\nstatic void init_func_types\(void\) \{\n[^}]*\}\n/gm,
    times: 1,
  },
  { what: "the runtime assertion", pattern: /^ {2}assert\(wasm_rt_is_initialized\(\)\);\n/gm, times: 2 },
  { what: "the module assertion", pattern: /^ {2}assert\(s_module_initialized\);\n/gm, times: 1 },
  { what: "the module flag", pattern: /^ {2}s_module_initialized = true;\n/gm, times: 1 },
  { what: "the call of init_func_types", pattern: /^ {2}init_func_types\(\);\n/gm, times: 1 },
];

/** An export without a result: its function returns a call of void, which ISO C forbids. */
const VOID_RETURN = /^(void \w+\([^)]*\) \{\n {2})return (\w+\([^;]*\);\n\})/gm;

/**
 * Generated C with wasm2c's block of loads, stores and traps replaced by boards/common/dormouse-rt-module.h.
 * An unknown template is refused by name: a silent change there would cause wrong decisions on a device.
 */
export function replaceRuntime(source: string, headerName: string, version: string): string {
  const refuse = (what: string) =>
    new FirmwareError(
      "WASM2C_TEMPLATE",
      `wasm2c ${version} wrote another template than the one known: ${what}. Install wabt ${knownVersions.join(" or ")}, or use the C that comes with the npm package.`,
    );
  const include = `#include "${headerName}"\n`;
  const end = source.indexOf(PROLOGUE_END);
  if (end < 0) throw refuse("no initialisation flag after the memory macros");
  const prologue = source.slice(0, end);
  if (!prologue.includes(include)) throw refuse(`no ${include.trim()}`);
  const digest = createHash("sha256").update(prologue.replace(include, "")).digest("hex");
  if (digest !== TEMPLATES.get(version)) throw refuse(`its block of memory macros has SHA-256 ${digest.slice(0, 16)}…`);
  let body = source.slice(end);
  if (body.includes("CALL_INDIRECT") || body.includes("wasm_rt_funcref_table_t")) {
    throw new FirmwareError(
      "WASM_TABLE",
      "the module calls functions through a table, which firmware does not support: call them by name.",
    );
  }
  for (const { what, pattern, times } of LEFT_OUT) {
    const found = body.match(pattern)?.length ?? 0;
    if (found !== times) throw refuse(`${what} is there ${found} times, not ${times}`);
    body = body.replace(pattern, "");
  }
  return `${include}#include "dormouse-rt-module.h"\n\n${body.replace(VOID_RETURN, "$1$2").trimStart()}`;
}

/** The generated header, including our runtime instead of wasm2c's. */
export function replaceHeader(header: string, version: string): string {
  const theirs = '#include "wasm-rt.h"\n';
  if (header.split(theirs).length !== 2) {
    throw new FirmwareError(
      "WASM2C_TEMPLATE",
      `wasm2c ${version} wrote a header that does not include wasm-rt.h once: its template is not known.`,
    );
  }
  return header.replace(theirs, '#include "dormouse-rt.h"\n');
}
