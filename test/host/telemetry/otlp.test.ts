import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { OTLP_PACKAGES } from "../../../host/telemetry/otlp.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-otlp-")); // no node_modules above it
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PLAY = `
const who = { service: "x", version: "1", instance: "1", metrics: { host: "127.0.0.1", port: 0 } };
const { openTelemetry } = await import(process.argv[1]);
const telemetry = await openTelemetry(who);
const { status } = await fetch(telemetry.metricsUrl);
await telemetry.close();
const error = await openTelemetry({ ...who, otlpUrl: "http://127.0.0.1:1" }).then(() => undefined, (one) => one);
console.log(JSON.stringify({ status, code: error?.code, message: error?.message }));
`;

describe("an installation without OpenTelemetry's packages", () => {
  it("serves metrics; a collector → OTLP_PACKAGES_MISSING with the command that installs them, bundled again or not", async () => {
    const bundle = (from: string, to: string, packages: "external" | "bundle") =>
      build({
        ...{ entryPoints: [from], outfile: join(folder, to), bundle: true, platform: "node", format: "esm", logLevel: "silent", packages },
      });
    await bundle(join(packageRoot(), "host/telemetry/telemetry.ts"), "cli.mjs", "external"); // as npm run build
    await bundle(join(folder, "cli.mjs"), "gateway.mjs", "bundle"); // as a gateway package, built where they are missing
    for (const file of ["cli.mjs", "gateway.mjs"]) {
      const printed = execFileSync(process.execPath, ["--input-type=module", "-e", PLAY, join(folder, file)], { encoding: "utf8" });
      expect(JSON.parse(printed)).toEqual({
        status: 200,
        code: "OTLP_PACKAGES_MISSING",
        message: expect.stringContaining(`npm install ${OTLP_PACKAGES.join(" ")}`),
      });
    }
  });
});

it("the command installs the optional peers of package.json, and npm installs none by itself", () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8"));
  const named = OTLP_PACKAGES.map((text) => text.split(/(?<=.)@/) as [string, string]);
  const ours = ([name]: [string, unknown]): boolean => name.startsWith("@opentelemetry/");
  const peers = Object.entries<string>(peerDependencies).filter(ours);
  expect(Object.fromEntries(peers)).toEqual(Object.fromEntries(named.map(([name, version]) => [name, `^${version}`])));
  expect(Object.entries(peerDependenciesMeta).filter(ours)).toEqual(peers.map(([name]) => [name, { optional: true }]));
  expect(Object.keys(dependencies).filter((name) => name.startsWith("@opentelemetry/"))).toEqual([]);
});
