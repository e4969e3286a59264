import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ConfigError } from "../../core/system/errors.ts";
import { packageRoot } from "../../core/system/package-root.ts";

/** The service's program, whole, and the licences of what is in it. */
export interface GatewayBundle {
  readonly code: Uint8Array;
  readonly licences: readonly { readonly name: string; readonly text: string }[];
}

/** esbuild's ESM output calls require() for Node's own modules in bundled CommonJS; this gives it one. */
const REQUIRE_BANNER = 'import { createRequire as dormouseRequire } from "node:module"; const require = dormouseRequire(import.meta.url);';

/** Bundles dist/gateway.js with all that it imports. Excluded packages are never loaded there: a compiler, an optional native decoder. */
export async function bundleGateway(): Promise<GatewayBundle> {
  const entry = join(packageRoot(), "dist", "gateway.js");
  if (!existsSync(entry)) throw new ConfigError("GATEWAY_MISSING", `no gateway program at ${entry}: run npm run build.`);
  const { build } = await import("esbuild");
  const made = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    absWorkingDir: packageRoot(),
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["esbuild", "cbor-extract"],
    banner: { js: REQUIRE_BANNER },
    legalComments: "none",
    logLevel: "silent",
  });
  const licences = packageFolders(Object.keys(made.metafile.inputs), packageRoot()).map(licenceOf);
  return { code: made.outputFiles[0]!.contents, licences };
}

/**
 * The folders of the packages that bundled files come from, without this package's own. Paths are relative to `root`: in a clone the
 * packages lie below it; once installed they lie beside it.
 */
export function packageFolders(inputs: readonly string[], root: string): string[] {
  const folders = new Set<string>();
  for (const input of inputs) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(resolve(root, input));
    if (match !== null) folders.add(match[1]!);
  }
  folders.delete(root);
  return [...folders].sort();
}

function licenceOf(folder: string): { name: string; text: string } {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string | undefined>;
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one));
  const text =
    file === undefined
      ? `${license ?? "no licence named"} (no text in ${relative(packageRoot(), folder)})`
      : readFileSync(join(folder, file), "utf8");
  return { name: `${name} ${version}`, text: text.trim() };
}
