import { createHash } from "node:crypto";
import { LINK_VERSION, STORE_VERSION } from "../../../assembly/device/layout.ts";
import { imageHash } from "../../core/image/image-read.ts";
import { hostRuns } from "../../core/image/runs.ts";
import { Model } from "../../core/session/model.ts";
import { ConfigError, FirmwareError } from "../../core/system/errors.ts";
import { deviceMemoryBytes, type FirmwareOptions } from "./build-options.ts";
import { deviceFirmware } from "./device-firmware.ts";
import { type Elf, flatten, readElf } from "./elf.ts";
import { type FrameSource, frameSource } from "./frame-source.ts";
import { sealBoot2 } from "./image/boot2.ts";
import { writeIntelHex } from "./image/intel-hex.ts";
import { MCUBOOT_HEADER_BYTES, writeMcuboot } from "./image/mcuboot.ts";
import { writeUf2 } from "./image/uf2.ts";
import { programRoom } from "./program-sizes.ts";
import { loadTarget, targetIds } from "./target.ts";

export type ArtifactFormat = "elf" | "bin" | "hex" | "uf2" | "mcuboot";

export interface BuiltFile {
  readonly name: string;
  readonly format: ArtifactFormat;
  readonly contents: Uint8Array;
  readonly sha256: string;
}

export interface SigningOptions {
  readonly key: string; // Ed25519, PEM
  readonly version: readonly [number, number, number];
  readonly securityCounter: number;
}

export interface Built {
  readonly files: readonly BuiltFile[];
  /** Code, constants, model and initial data. */
  readonly flashBytes: number;
  /** Data, linear memory with the arena, receive ring, stack. */
  readonly ramBytes: number;
  readonly frames: FrameSource;
}

/** Bytes that a firmware takes of flash and RAM, its stack's reserve included. */
export function firmwareSizes(elf: Elf): { readonly flashBytes: number; readonly ramBytes: number } {
  const sizes = elf.sections.filter(({ isAllocated }) => isAllocated);
  const sum = (names: readonly string[]) => sizes.filter(({ name }) => names.includes(name)).reduce((total, { bytes }) => total + bytes, 0);
  return { flashBytes: sum([".text", ".ARM.exidx", ".data"]), ramBytes: sum([".data", ".bss", ".stack"]) };
}

/** What MCUboot keeps at the end of a slot, and a little. */
const MCUBOOT_TRAILER_BYTES = 2048;

function mcubootBoards(): string[] {
  return targetIds().filter((id) => !id.startsWith("qemu-") && loadTarget(id).mcubootSlotBytes !== undefined);
}

/** Firmware in every format that the board takes. The same input gives the same bytes, wherever it is built. */
export function buildFirmware(agentName: string, options: FirmwareOptions, signing?: SigningOptions): Built {
  const { target, image } = options;
  if (target.id.startsWith("qemu-")) {
    throw new ConfigError(
      "BOARD_IS_EMULATED",
      `${target.id} is a machine of QEMU, not a board: there is nothing to flash. Run dormouse emulate ${agentName} --board ${target.id}.`,
    );
  }
  const slot = target.mcubootSlotBytes;
  if (signing !== undefined && slot === undefined) {
    throw new ConfigError(
      "NO_MCUBOOT",
      `the layout of ${target.id} has no room for MCUboot: build without --key, or for one of: ${mcubootBoards().join(", ")}.`,
    );
  }
  const contents = deviceFirmware({ ...options, hasStore: true });
  const elf = readElf(contents);
  if (target.family === "rp2040") sealBoot2(elf);
  const flat = flatten(elf.segments);
  const base = `${agentName}-${target.id}`;
  const files: BuiltFile[] = [];
  const add = (format: ArtifactFormat, extension: string, bytes: Uint8Array) =>
    files.push({ name: `${base}.${extension}`, format, contents: bytes, sha256: createHash("sha256").update(bytes).digest("hex") });
  add("elf", "elf", contents);
  add("bin", "bin", flat.bytes);
  add("hex", "hex", Buffer.from(writeIntelHex(elf.segments, elf.entry), "latin1"));
  if (target.family !== undefined) add("uf2", "uf2", writeUf2(elf.segments, target.family));
  if (signing !== undefined && slot !== undefined) {
    const behind = flatten(readElf(deviceFirmware({ ...options, hasStore: true, flashOffsetBytes: slot + MCUBOOT_HEADER_BYTES })).segments);
    const contract = {
      runs: hostRuns,
      linkVersion: LINK_VERSION,
      storeVersion: STORE_VERSION,
      arenaBytes: deviceMemoryBytes(image),
      imageHash: imageHash(image),
    };
    const signed = writeMcuboot(behind.bytes, { ...signing, contract });
    const room = programRoom(target).flashBytes - slot - MCUBOOT_TRAILER_BYTES;
    if (signed.length > room) {
      throw new FirmwareError(
        "SLOT_TOO_SMALL",
        `the signed image has ${signed.length} B, MCUboot's slot of ${target.id} has room for ${room}. Choose a smaller model.`,
      );
    }
    add("mcuboot", "signed.bin", signed);
  }
  return { files, ...firmwareSizes(elf), frames: frameSource(target, Model.load(image).image) };
}
