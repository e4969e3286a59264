import { basename, resolve } from "node:path";
import type { BuildFailure, Plugin } from "esbuild";
import { ConfigError } from "../core/system/errors.ts";
import { defineAgent } from "./define-agent.ts";
import { defineTextAgent } from "./define-text-agent.ts";

const PACKAGE_NAME = "dormouse-edge";
const ENTRY_KEY = "dormouse-edge/agent-entry";

/** Names that an agent.ts may import from the package. It gets this process's own module, not a second copy. */
const agentEntry = { defineAgent, defineTextAgent };

const entryPlugin: Plugin = {
  name: "dormouse-entry",
  setup(build) {
    build.onResolve({ filter: /^dormouse-edge$|(^|\/)host\/index\.ts$/ }, () => ({ path: PACKAGE_NAME, namespace: "dormouse" }));
    build.onLoad({ filter: /.*/, namespace: "dormouse" }, () => ({
      contents: `export const { ${Object.keys(agentEntry).join(", ")} } = globalThis[Symbol.for(${JSON.stringify(ENTRY_KEY)})];`,
      loader: "js",
    }));
  },
};

/** Compiles one TypeScript file with esbuild and returns its default export. Node 20 runs no TypeScript. */
export async function importAgentFile(file: string): Promise<unknown> {
  const { build } = await import("esbuild");
  let code: string;
  try {
    const made = await build({
      entryPoints: [resolve(file)],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      logLevel: "silent",
      plugins: [entryPlugin],
    });
    code = made.outputFiles[0]!.text;
  } catch (cause) {
    throw new ConfigError("AGENT_COMPILE", `${file} does not compile: ${failureText(cause)}. Mend the file.`, { cause });
  }
  (globalThis as Record<symbol, unknown>)[Symbol.for(ENTRY_KEY)] = agentEntry;
  const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
  let module: { default?: unknown };
  try {
    module = (await import(/* @vite-ignore */ url)) as { default?: unknown };
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError("AGENT_THROWS", `${file} fails when it is loaded: ${String(cause)}. Mend the file.`, { cause });
  }
  if (module.default === undefined) {
    throw new ConfigError("AGENT_NO_DEFAULT", `${file} has no default export. End it with: export default defineAgent({ … }).`);
  }
  return module.default;
}

function failureText(cause: unknown): string {
  const first = (cause as BuildFailure).errors?.[0];
  if (first === undefined) return String(cause);
  const at = first.location ? `${basename(first.location.file)}:${first.location.line}:${first.location.column}: ` : "";
  return `${at}${first.text}`;
}
