import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { checked } from "../core/system/checked.ts";
import { ConfigError } from "../core/system/errors.ts";
import { readSmall, systemReason, writeWhole } from "../core/system/private-file.ts";
import { jsonFlaw } from "../core/system/secrets.ts";
import { isName } from "../mqtt/wire/topics.ts";

/** Name of the file that holds a node's identity, in the working folder. */
export const NODE_CONFIG_FILE = "dormouse.json";

const topicName = z.string().refine(isName, "expected a name without + # / and control characters, not of dots alone");

/** Whom a node obeys. */
export const commandSchema = z.strictObject({
  /** Ed25519 public key (base64url) of the operator whose commands this node obeys. Left out: it obeys none. */
  commandKey: z.string().length(43).optional(),
  /** Counter that a command must exceed although this node remembers none: the wall milliseconds of its making. Default 0. */
  commandFloor: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
});

const nodeConfigSchema = z.strictObject({
  /** Unique among the nodes of a site; also the MQTT client id. */
  node: topicName,
  /** Where the node belongs. Default "home". */
  site: topicName.default("home"),
  /** Broker when the command names none, e.g. mqtt://host:1883. */
  broker: z.string().min(1).optional(),
  ...commandSchema.shape,
});

/** Who this node is. */
export type NodeConfig = Readonly<z.output<typeof nodeConfigSchema>>;

export interface NodeConfigOptions {
  /** Path of the file; default ./dormouse.json. */
  readonly path?: string;
  readonly cwd?: string;
  /** Random bytes for a new node's id. */
  readonly random?: (count: number) => Uint8Array;
}

/** Reads the node's identity. Without a file it creates one with a new id; `isNew` is then true. */
export function openNodeConfig(options: NodeConfigOptions = {}): { config: NodeConfig; path: string; isNew: boolean } {
  const path = resolve(options.cwd ?? process.cwd(), options.path ?? NODE_CONFIG_FILE);
  if (existsSync(path)) return { config: readNodeConfig(path), path, isNew: false };
  const id = Buffer.from((options.random ?? randomBytes)(4)).toString("hex");
  const config: NodeConfig = { node: `dormouse-${id}`, site: "home" };
  try {
    writeWhole(path, `${JSON.stringify(config, undefined, 2)}\n`, { isNew: true, isPrivate: true });
  } catch (cause) {
    if (existsSync(path)) return { config: readNodeConfig(path), path, isNew: false }; // another process was first
    const why = systemReason((cause as Error).cause);
    throw new ConfigError(
      "NODE_CONFIG_UNWRITABLE",
      `this node's identity cannot be kept in ${path}: ${why}. Name a writable place with --config FILE.`,
      { cause },
    );
  }
  return { config, path, isNew: true };
}

function readNodeConfig(path: string): NodeConfig {
  const text = readSmall(path, "this node's identity", "Name a file with --config FILE.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError("NODE_CONFIG_JSON", `${path} is ${jsonFlaw(cause)}. Mend it, or remove it and a new one is made.`);
  }
  return checked(
    nodeConfigSchema,
    value,
    "NODE_CONFIG_INVALID",
    path,
    "It may hold node, site, broker, commandKey and commandFloor: mend the named fields.",
  );
}
