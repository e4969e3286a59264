import { type BuiltPackage, writePackage } from "./built-package.ts";
import type { Architecture, NodeRuntime } from "./node-runtime.ts";

/** One Node for every agent's package on a gateway. */
export const RUNTIME_PACKAGE = "dormouse-runtime";
export const RUNTIME_NODE = `/usr/lib/${RUNTIME_PACKAGE}/bin/node`;

/** The Debian package with Node alone. Its version is Node's. */
export function buildRuntimePackage(runtime: NodeRuntime, architecture: Architecture, outFolder: string): BuiltPackage {
  const doc = `/usr/share/doc/${RUNTIME_PACKAGE}`;
  const licence = runtime.licence ?? `MIT, and what it contains: https://github.com/nodejs/node/blob/v${runtime.version}/LICENSE`;
  return writePackage(outFolder, {
    packageName: RUNTIME_PACKAGE,
    version: runtime.version,
    architecture,
    depends: "libc6 (>= 2.28), libstdc++6 (>= 8), libgcc-s1",
    summary: "Node.js for Dormouse gateways",
    text: ["The Node that the packages of Dormouse agents run on, one for all of them.", `Node ${runtime.version}, ${runtime.origin}.`],
    changes: `Node ${runtime.version}`,
    files: [
      { path: RUNTIME_NODE, bytes: runtime.bytes, mode: 0o755 },
      {
        path: `${doc}/copyright`,
        bytes: Buffer.from(`Node.js ${runtime.version}\nCopyright Node.js contributors. All rights reserved.\n\n${licence.trim()}\n`),
      },
    ],
    overrides: ["embedded-library", "unstripped-binary-or-object", "hardening-no-pie"].map((tag) => `${tag} *`), // as Node's makers publish it
    scripts: {},
  });
}
