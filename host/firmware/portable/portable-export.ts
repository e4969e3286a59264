import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DECISION_WORDS, SETPOINT_THRESHOLDS, SETPOINT_WORDS } from "../../../assembly/layout.ts";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { openAgentModel } from "../../agent/registry.ts";
import { align16 } from "../../core/arithmetic/align.ts";
import { channelsText } from "../../core/image/imu-channels.ts";
import type { Model } from "../../core/session/model.ts";
import { instantiateCore } from "../../core/session/module.ts";
import { makeFolders } from "../../core/system/folder.ts";
import { packageRoot } from "../../core/system/package-root.ts";
import { generatedC } from "../c/generated-c.ts";
import { PORTABLE_FLAGS, PORTABLE_LAYOUTS, type PortableTarget } from "./portable-layout.ts";

export interface PortableExportOptions {
  readonly agent: LoadedAgent;
  readonly target: PortableTarget;
  readonly outFolder: string;
}

/** What was written. */
export interface PortableExport {
  readonly target: PortableTarget;
  readonly agent: string;
  readonly artifacts: readonly { readonly path: string; readonly format: string; readonly bytes: number; readonly sha256: string }[];
  /** Of the model: a const array. */
  readonly modelBytes: number;
  /** Static memory of the core with 32-bit pointers, bytes; without stack and code. */
  readonly ramBytes: number;
}

/** Writes an agent as a C library with one header, self-contained, for a compiler that Dormouse does not run itself. */
export async function exportPortable({ agent, target, outFolder }: PortableExportOptions): Promise<PortableExport> {
  const model = await openAgentModel(agent, { engine: "scalar" });
  const layout = PORTABLE_LAYOUTS[target];
  const facts = factsOf(agent, model, layout.title, layout.how);
  const templates = join(packageRoot(), "boards", "portable");
  const template = (name: string): string => fill(readFileSync(join(templates, name), "utf8"), facts, name);
  const core = generatedC("core-kernels");
  const written: Record<string, string | Uint8Array> = {
    [`${layout.include}/dormouse.h`]: template("dormouse.h"),
    [`${layout.include}/dormouse_frames.h`]: template("frames.h"),
    [`${layout.src}/dormouse.c`]: template("dormouse.c"),
    [`${layout.src}/dormouse_core.c`]: CORE_PREFACE + ownNames(core.source).replace('#include "core.h"', '#include "dormouse_core.h"'),
    [`${layout.src}/dormouse_core.h`]: ownNames(core.header),
    [`${layout.src}/dormouse_model.h`]: modelHeader(),
    [`${layout.src}/dormouse_model.c`]: modelSource(readFileSync(agent.modelPath), model.manifest.labels),
    "README.md": template("README.md"),
    LICENSE: readFileSync(join(packageRoot(), "LICENSE")),
  };
  for (const [from, to] of Object.entries(COMMON)) {
    const source = ownNames(readFileSync(join(packageRoot(), "boards", "common", from), "utf8"));
    written[`${layout.src}/${to}`] = to.endsWith(".c") ? CORE_PREFACE + source : source;
  }
  for (const [from, to] of Object.entries(layout.files)) written[to] = template(join(target, from));
  for (const [path, content] of Object.entries(written)) {
    makeFolders(dirname(join(outFolder, path)));
    writeFileSync(join(outFolder, path), content);
  }
  const terms = join(agent.folder, "LICENSE-MODEL");
  if (existsSync(terms)) copyFileSync(terms, join(outFolder, "LICENSE-MODEL"));
  return {
    target,
    agent: agent.definition.name,
    artifacts: Object.keys(written)
      .sort()
      .map((path) => artifactOf(join(outFolder, path))),
    modelBytes: model.imageBytes,
    ramBytes: Number(facts.RAM_BYTES),
  };
}

/** What the templates name as @KEY@. */
function factsOf(agent: LoadedAgent, model: Model, title: string, how: string): Record<string, string> {
  const { image, manifest, imageHash } = model;
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  const coreBase = instantiateCore("scalar").memoryBase();
  return {
    AGENT: agent.definition.name,
    AGENT_ID: agent.definition.name.replaceAll("-", "_"),
    MODEL: manifest.name,
    MODEL_SHA256: imageHash,
    VERSION: version,
    TARGET: title,
    HOW: how,
    FLAGS: PORTABLE_FLAGS.join(" "),
    CHANNELS: String(image.channels),
    CHANNEL_NAMES: channelsText(manifest.channels),
    ORIENTATION: manifest.orientation || "not stated",
    RATE_HZ: String(manifest.frameRateHz),
    RATE_MILLIHERTZ: String(image.frameRateMillihertz),
    HOP_FRAMES: String(image.hopPatches * image.patchFrames),
    CLASSES: String(image.nClasses),
    EXITS: String(image.exits.length),
    ARENA_BYTES: String(model.arenaBytes),
    MODEL_BYTES: String(model.imageBytes),
    SNAPSHOT_BYTES: String(model.createSession().snapshot().length),
    RAM_BYTES: String(coreBase + align16(model.arenaBytes)),
  };
}

/** Fills a template in; a name without a value, or a C comment's end within one, is a defect of ours and stops the export. */
function fill(text: string, facts: Readonly<Record<string, string>>, name: string): string {
  return text.replaceAll(/@([A-Z][A-Z0-9_]*)@/g, (_, key: string) => {
    const value = facts[key];
    if (value === undefined) throw new RangeError(`template ${name} names @${key}@, which has no value`);
    return value.replaceAll("*/", "* /");
  });
}

/** Files of boards/common that a library has as well, and their names there. */
const COMMON: Readonly<Record<string, string>> = {
  "dormouse-rt.h": "dormouse-rt.h",
  "dormouse-rt-module.h": "dormouse-rt-module.h",
  "fixed-point.h": "fixed-point.h",
  "kernel-memory.h": "kernel-memory.h",
  "kernels.c": "dormouse_kernels.c",
  "linear-s8.c": "dormouse_linear.c",
};

/** The runtime's symbols under a name of our own, so that two libraries made by wasm2c link into one program. */
const ownNames = (text: string): string =>
  text.replaceAll("wasm_rt_", "dormouse_rt_").replaceAll("WASM_RT_", "DORMOUSE_RT_").replaceAll("wasm_checked", "dormouse_rt_checked");

/** The core's memory is one static array: its address is known to the linker, and no load reads a base first. */
const CORE_PREFACE = `#include <stdint.h>
extern uint8_t dormouse_memory[];
#define DORMOUSE_MEMORY_BASE dormouse_memory
`;

function modelHeader(): string {
  return `/* What the library knows of its model and its core, beyond dormouse.h. Generated: do not edit. */
#ifndef DORMOUSE_MODEL_H
#define DORMOUSE_MODEL_H

#include "dormouse.h"

#define DORMOUSE_CORE_BASE ${instantiateCore("scalar").memoryBase()}u /* first free byte of the core's memory */
#define DORMOUSE_DECISION_WORDS ${DECISION_WORDS}
#define DORMOUSE_SET_POINT_WORDS ${SETPOINT_WORDS}
#define DORMOUSE_SET_POINT_THRESHOLDS ${SETPOINT_THRESHOLDS} /* index of the first */

extern const uint8_t dormouse_model[DORMOUSE_MODEL_BYTES];
extern const char *const dormouse_labels[DORMOUSE_CLASSES];

#endif /* DORMOUSE_MODEL_H */
`;
}

const BYTES_PER_LINE = 24;

function modelSource(bytes: Uint8Array, labels: readonly string[]): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) lines.push(`  ${bytes.subarray(at, at + BYTES_PER_LINE).join(", ")},`);
  return `/* The model image, and the names of its labels. Generated: do not edit. */
#include "dormouse_model.h"

const char *const dormouse_labels[DORMOUSE_CLASSES] = {
${labels.map((label) => `  ${cString(label)},`).join("\n")}
};

__attribute__((aligned(16))) const uint8_t dormouse_model[DORMOUSE_MODEL_BYTES] = {
${lines.join("\n")}
};
`;
}

/** A C string literal of any text; non-ASCII characters become octal bytes of UTF-8. */
function cString(text: string): string {
  const bytes = [...Buffer.from(text, "utf8")];
  const isPlain = (byte: number) => byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(String.fromCharCode(byte));
  return `"${bytes.map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`)).join("")}"`;
}

function artifactOf(path: string): PortableExport["artifacts"][number] {
  const bytes = readFileSync(path);
  const format = /\.([a-z]+)$/.exec(path)?.[1] ?? "text";
  return { path, format, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
