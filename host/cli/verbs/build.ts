import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../../agent/registry.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import { readPrivate, writeWhole } from "../../core/system/private-file.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { bytesText, table } from "../../core/system/table.ts";
import { type ImuAxes, parseImuAxes } from "../../data/imu-axes.ts";
import type { MemoryVariant } from "../../firmware/c/compile.ts";
import { buildFirmware, type SigningOptions } from "../../firmware/mcu/build.ts";
import type { KernelChoice } from "../../firmware/mcu/build-options.ts";
import { frameSourceText } from "../../firmware/mcu/frame-source.ts";
import { loadTarget } from "../../firmware/mcu/target.ts";
import { buildGatewayImage } from "../../firmware/package/gateway-image.ts";
import { exportPortable } from "../../firmware/portable/portable-export.ts";
import { PORTABLE_LAYOUTS, type PortableTarget } from "../../firmware/portable/portable-layout.ts";
import { loadBoards } from "../../power/board.ts";
import { writeOnnx } from "../../train/onnx/write-onnx.ts";
import { checkFolder, checkWritable, makeFolder, writeFile } from "../common/files.ts";
import { jsonOption, numberAtLeast, refuseWith, refuseWithout } from "../common/options.ts";
import { packageVersion } from "../common/version.ts";

interface BuildOptions {
  readonly json: boolean;
  readonly board?: string;
  readonly target?: PortableTarget | "onnx";
  readonly node?: "npm";
  readonly out: string;
  readonly variant: MemoryVariant;
  readonly kernels: KernelChoice;
  readonly imuAxes?: ImuAxes;
  readonly key?: string;
  readonly securityCounter: number;
}

export const variantOption = (): Option =>
  new Option("--variant <name>", "compile the core with unchecked (fast) or checked (safe) memory accesses")
    .choices(["fast", "safe"])
    .default("fast");

export const kernelsOption = (): Option =>
  new Option("--kernels <name>", "use kernels in C, with SMLAD if the processor has it, or those of the wasm module")
    .choices(["c", "wasm"])
    .default("c");

/** `dormouse build`: what runs an agent: firmware for a microcontroller, a package for a gateway, a C library for another build, ONNX. */
export function registerBuild(program: Command, io: CliIo): void {
  const targets = [...Object.keys(PORTABLE_LAYOUTS), "onnx"];
  program
    .command("build")
    .description(
      "Build an agent's firmware (ELF, BIN, Intel HEX, UF2, signed for MCUboot) or a gateway's Debian package; or a C library or ONNX.",
    )
    .argument("<agent>", "a bundled agent's name, or the path of an agent.ts")
    .addOption(
      new Option("--board <id>", "build for this board (this or --target is required); dormouse boards lists them").conflicts("target"),
    )
    .addOption(
      new Option(
        "--target <kind>",
        "build a self-contained C library for this build system instead; onnx: the float net over one window, and patch by patch, for other runtimes",
      ).choices(targets),
    )
    .addOption(new Option("--node <origin>", "take a gateway's Node from npm, even if the Node of this machine would fit").choices(["npm"]))
    .requiredOption("--out <dir>", "write to this folder; created if missing")
    .addOption(variantOption())
    .addOption(kernelsOption())
    .addOption(
      new Option("--imu-axes <axes>", "map the IMU chip's axes to the body's x, y, z, as in +y-x+z (default: +x+y+z)")
        .argParser(parseImuAxes)
        .conflicts("target"),
    )
    .option("--key <file>", "sign for MCUboot with this Ed25519 key (PEM); created if missing")
    .addOption(
      new Option("--security-counter <n>", "set the counter of the signed image; a boot loader refuses a smaller one")
        .default(1)
        .argParser(numberAtLeast(0)),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse build activity --board pico --out firmware && dormouse flash firmware/activity-pico.uf2 --board pico" +
        "\n  $ dormouse build activity --board raspberry-pi-5 --out packages\n  $ dormouse build activity --target esp-idf --out components/activity",
    )
    .action((agent: string, options: BuildOptions, command: Command) => {
      if (options.key === undefined) refuseWithout(command, "--key", "--security-counter");
      if (options.target !== undefined) refuseWith(command, "--target", "--variant", "--kernels");
      return build(io, agent, options, command);
    });
}

async function build(io: CliIo, name: string, options: BuildOptions, command: Command): Promise<void> {
  const out = createOutput(io, options.json);
  const outFolder = resolve(io.cwd, options.out);
  const { board, target } = options;
  if (board === undefined && target === undefined) {
    throw new ConfigError(
      "BUILD_FOR_WHAT",
      `build for what? Give --board (dormouse boards lists them) or --target (${[...Object.keys(PORTABLE_LAYOUTS), "onnx"].join(", ")}).`,
    );
  }
  const linux = loadBoards().find(({ id, linux }) => id === board && linux !== undefined);
  if (options.node !== undefined && linux === undefined)
    throw new ConfigError("BUILD_OPTIONS", "--node goes with a gateway's board, as in --board raspberry-pi-5: leave it out.");
  if (options.key !== undefined && (target !== undefined || linux !== undefined))
    throw new ConfigError("BUILD_OPTIONS", "--key signs a microcontroller's firmware for MCUboot: leave it out.");
  if (linux !== undefined) refuseWith(command, "a gateway's board", "--variant", "--kernels");
  checkFolder(outFolder);
  const agent = await loadAgent(name, io.cwd);
  if (target === "onnx") {
    const { artifacts, ...rest } = writeOnnx(agent, outFolder, packageVersion());
    out.say(
      `${rest.agent} as ONNX: ${rest.nodes} operators, frames (${rest.frames}, ${rest.channels}) of counts to the logits of ${rest.exits} exits; patch by patch ${rest.step.nodes} operators and ${rest.step.states.length} states; without LDA head and smoothing`,
    );
    return report(out, artifacts, rest);
  }
  if (target !== undefined) {
    const { artifacts, ...rest } = await exportPortable({ agent, target, outFolder });
    out.say(`${rest.agent} as a C library for ${target}: ${bytesText(rest.modelBytes)} of model, ${bytesText(rest.ramBytes)} of RAM`);
    return report(out, artifacts, rest);
  }
  if (linux !== undefined) {
    if (options.imuAxes !== undefined) throw new ConfigError("NO_IMU", `${linux.id} reads no IMU itself: leave --imu-axes out.`);
    const cacheFolder = join(io.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "dormouse");
    const { artifacts, ...rest } = await buildGatewayImage({
      agent,
      board: linux,
      outFolder,
      cacheFolder,
      isNodeFromNpm: options.node === "npm",
    });
    out.say(`${rest.packageName} ${rest.version} for ${rest.board} (${rest.architecture}), with Node ${rest.node.version}`);
    return report(out, artifacts, rest);
  }
  await firmware(io, out, agent, outFolder, options);
}

async function firmware(io: CliIo, out: Output, agent: LoadedAgent, folder: string, options: BuildOptions): Promise<void> {
  const target = loadTarget(options.board!);
  const { manifest } = await openAgentModel(agent);
  const { name } = agent.definition;
  const image = new Uint8Array(readFileSync(agent.modelPath));
  const keyPath = options.key === undefined ? undefined : resolve(io.cwd, options.key);
  const signing = keyPath === undefined ? undefined : signingOptions(keyPath, options.securityCounter);
  const { variant, kernels, imuAxes } = options;
  const { files, flashBytes, ramBytes, frames } = buildFirmware(
    name,
    { target, image, variant, kernels, ...(imuAxes && { imuAxes }) },
    signing,
  );
  makeFolder(folder);
  if (keyPath !== undefined && signing?.isNew) writeWhole(keyPath, signing.key, { isPrivate: true, isNew: true });
  const artifacts = files.map(({ name: file, format, contents, sha256 }) => {
    const path = join(folder, file);
    writeFile(path, contents);
    return { path, format, bytes: contents.length, sha256 };
  });
  out.say(`${name} for ${target.id}: ${bytesText(flashBytes)} of flash with the model, ${bytesText(ramBytes)} of RAM with the stack`);
  out.say(frameSourceText(frames, manifest, imuAxes));
  const { channels, orientation } = manifest;
  report(out, artifacts, {
    ...{ board: target.id, agent: name, variant, kernels, flashBytes, ramBytes },
    frames: { ...frames, channels, orientation },
  });
}

interface Artifact {
  readonly path: string;
  readonly format: string;
  readonly bytes: number;
  readonly sha256: string;
}

function report(out: Output, artifacts: readonly Artifact[], rest: object): void {
  const rows = artifacts.map(({ path, format, bytes, sha256 }) => [format, bytes, sha256.slice(0, 12), path]);
  for (const line of table(["format", "bytes", "sha256", "file"], rows)) out.say(line);
  out.document({ ...rest, artifacts });
}

/** The key of `path`, or a new one, which is for the caller to keep once it has signed something. */
function signingOptions(path: string, securityCounter: number): SigningOptions & { readonly isNew: boolean } {
  const isNew = !existsSync(path);
  if (isNew) checkWritable(path);
  const key = isNew
    ? generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    : readPrivate(path, "the signing key", "Name an Ed25519 key (PEM), or a file that is not there yet.");
  const [major = 0, minor = 0, patch = 0] = packageVersion().split(/[.-]/).map(Number);
  return { key, isNew, version: [major, minor, patch], securityCounter };
}
