import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { AgentDefinition } from "../../agent/define-agent.ts";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { openAgentModel } from "../../agent/registry.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { makeFolders } from "../../core/system/folder.ts";
import { packageRoot } from "../../core/system/package-root.ts";
import type { GatewayConfigInput } from "../../gateway/gateway-config.ts";
import { PACKED_AGENT_FILE } from "../../gateway/packed-agent.ts";
import { type Board, loadBoards } from "../../power/board.ts";
import { type BuiltPackage, writePackage } from "./built-package.ts";
import type { PackageFile } from "./deb.ts";
import { bundleGateway } from "./gateway-bundle.ts";
import { type GatewayPaths, gatewayPaths, gatewayScripts, gatewayUnit } from "./gateway-unit.ts";
import { findNodeRuntime, type NodeRuntime } from "./node-runtime.ts";
import { buildRuntimePackage, RUNTIME_PACKAGE } from "./runtime-package.ts";

export interface GatewayImageOptions {
  readonly agent: LoadedAgent;
  readonly board: Board;
  readonly outFolder: string;
  readonly cacheFolder: string;
  /** Takes Node from npm even if the building machine's would fit. Default false. */
  readonly isNodeFromNpm?: boolean;
}

/** What was built: the agent's package and the runtime's, on which it depends. */
export interface GatewayImage {
  readonly board: string;
  readonly agent: string;
  readonly artifacts: readonly BuiltPackage[];
  readonly packageName: string;
  readonly version: string;
  readonly architecture: string;
  readonly node: { readonly version: string; readonly origin: string };
  readonly unit: string;
  readonly config: string;
}

/** Builds two Debian packages, with everything that a Linux gateway needs to run one agent as a service: the agent, and the Node of all agents. */
export async function buildGatewayImage(options: GatewayImageOptions): Promise<GatewayImage> {
  const { agent, board } = options;
  if (board.linux === undefined) {
    throw new ConfigError(
      "BOARD_NOT_LINUX",
      `board ${board.id} runs no Linux, so no gateway package fits it. Build firmware for it, or choose a gateway.`,
    );
  }
  const { architecture } = board.linux;
  const { name } = agent.definition;
  const { imageHash } = await openAgentModel(agent); // checked here, not on the gateway
  const paths = gatewayPaths(name);
  const runtime = findNodeRuntime({ architecture, cacheFolder: options.cacheFolder, isFromNpm: options.isNodeFromNpm ?? false });
  const bundle = await bundleGateway();
  const { version: tool } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  const version = packageVersion(tool, agent.definition, imageHash);
  makeFolders(options.outFolder);
  const own = writePackage(options.outFolder, {
    packageName: paths.packageName,
    version,
    architecture,
    depends: `${RUNTIME_PACKAGE} (>= 20), systemd (>= 250), init-system-helpers (>= 1.54)`,
    summary: `Dormouse gateway with the ${name} agent`,
    text: [
      "Runs the agent as a hardened systemd service on the frames of devices, and asks the cloud over MQTT 5 when it is unsure.",
      `Made for ${board.name}.`,
    ],
    changes: `Dormouse ${tool}, model ${agent.definition.modelNumber ?? 1} of ${name} (${imageHash.slice(0, HASH_DIGITS)})`,
    files: [
      ...programFiles(paths, bundle.code, tool),
      ...agentFiles(agent, paths),
      ...boardFiles(paths),
      { path: paths.config, bytes: json(defaultConfig(agent, board)), mode: 0o600, isConfig: true },
      { path: paths.unit, bytes: Buffer.from(gatewayUnit(name, paths, linkDevice(board))) },
      { path: `${paths.doc}/README`, bytes: Buffer.from(readme(agent, board, paths, runtime)) },
      { path: `${paths.doc}/copyright`, bytes: Buffer.from(copyright(bundle.licences)) },
    ],
    scripts: gatewayScripts(paths),
  });
  return {
    board: board.id,
    agent: name,
    artifacts: [own, buildRuntimePackage(runtime, architecture, options.outFolder)],
    packageName: paths.packageName,
    version,
    architecture,
    node: { version: runtime.version, origin: runtime.origin },
    unit: paths.unitName,
    config: paths.config,
  };
}

const HASH_DIGITS = 8;

/**
 * Version of an agent's package: the tool's, the agent and its model's number, the image's hash. dpkg sorts by the number before it sees
 * the hash, which rises and falls at random. Source: deb-version(7).
 */
export function packageVersion(
  tool: string,
  { name, modelNumber = 1 }: Pick<AgentDefinition, "name" | "modelNumber">,
  imageHash: string,
): string {
  return `${tool}+${name.replaceAll("-", ".")}.${modelNumber}.${imageHash.slice(0, HASH_DIGITS)}`;
}

const json = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
const linkDevice = ({ link }: Board): string | undefined => (link?.peripheral.startsWith("/dev/") ? link.peripheral : undefined);

function programFiles({ root }: GatewayPaths, code: Uint8Array, version: string): PackageFile[] {
  const wasm = ["core-simd.wasm", "core-scalar.wasm"].map((file) => ({
    path: `${root}/dist/${file}`,
    bytes: readFileSync(join(packageRoot(), "dist", file)),
  }));
  return [
    { path: `${root}/dist/gateway.js`, bytes: code },
    { path: `${root}/package.json`, bytes: json({ name: "dormouse-edge", version, type: "module" }) },
    ...wasm,
  ];
}

/** The boards and radios that the configuration may name as `board` and `radio`. */
function boardFiles({ root }: GatewayPaths): PackageFile[] {
  const names = ["radios.json", ...loadBoards().flatMap(({ id, power }) => (power === undefined ? [] : [`${id}/board.json`]))];
  return names.map((name) => ({ path: `${root}/boards/${name}`, bytes: readFileSync(join(packageRoot(), "boards", name)) }));
}

/** The agent's definition as data, its model, its prior, its policy and its synthetic wearer. The teacher stays in the cloud. */
function agentFiles(
  { definition, folder, modelPath, priorPath, syntheticPath, policyPath }: LoadedAgent,
  { root }: GatewayPaths,
): PackageFile[] {
  const to = `${root}/agents/${definition.name}`;
  const model = basename(definition.model);
  const synthetic = syntheticPath === undefined ? undefined : basename(syntheticPath);
  const policy = policyPath === undefined ? undefined : "policy.json";
  const prior = priorPath === undefined ? undefined : basename(priorPath);
  const { policy: _, ...kept } = definition;
  const packed = {
    ...kept,
    model,
    teacher: [],
    ...(prior === undefined ? {} : { prior }),
    ...(synthetic === undefined ? {} : { synthetic }),
    ...(policy === undefined ? {} : { policy }),
  };
  const notices = ["CARD.md", "LICENSE-MODEL"].flatMap((name) => optionalFile(join(folder, name), `${to}/${name}`));
  return [
    { path: `${to}/${PACKED_AGENT_FILE}`, bytes: json(packed) },
    { path: `${to}/${model}`, bytes: readFileSync(modelPath) },
    ...(prior === undefined ? [] : optionalFile(priorPath!, `${to}/${prior}`)),
    ...(synthetic === undefined ? [] : optionalFile(syntheticPath!, `${to}/${synthetic}`)),
    ...(policyPath === undefined ? [] : [{ path: `${to}/${policy}`, bytes: readFileSync(policyPath) }]),
    ...notices,
  ];
}

function optionalFile(from: string, path: string): PackageFile[] {
  try {
    return [{ path, bytes: readFileSync(from) }];
  } catch {
    return [];
  }
}

/** Frames from the board's link if it has one, else from a synthetic wearer until configured. */
function defaultConfig({ syntheticPath }: LoadedAgent, board: Board): GatewayConfigInput {
  const device = linkDevice(board) ?? (syntheticPath === undefined ? "/dev/ttyACM0" : undefined);
  const baud = board.link?.baud ?? 115_200;
  return {
    site: "home",
    devices: [{ match: device === undefined ? "synthetic" : `serial:${device}@${baud}` }],
    engine: "simd",
  };
}

function readme({ definition }: LoadedAgent, board: Board, paths: GatewayPaths, runtime: NodeRuntime): string {
  return `Dormouse gateway: the ${definition.name} agent, for ${board.name}.

Configure   ${paths.config}, then: systemctl restart ${paths.unitName}
            "sensor": "serial:/dev/ttyAMA0@115200" (link frames), "synthetic", or "replay:FILE.dls"
            "broker": { "url": "mqtt://host:1883" }   left out: decides alone and never asks
            with an identity of dormouse provision: "url": "mqtts://host:8883", its ca.crt, client.crt and client.key as
            "ca", "cert" and "key" (text), and its "node", "site", "commandKey" and "commandFloor" beside "sensor": it obeys dormouse ota
            with a user: "username" and "password" (or "passwordFile", a path relative to the configuration; under systemd
            systemctl edit the unit: LoadCredential=broker-password:${paths.passwordFile}, and write "passwordFile": "broker-password")
            "board": "nrf52840-dk", "radio": "ble"   apply that board's power and thermal model
            "metrics": "9464", "otlp": "http://collector:4318"   serve Prometheus metrics, push OpenTelemetry
Watch       journalctl -fu ${paths.unitName}; systemctl status ${paths.unitName}
State       /var/lib/${paths.packageName}: the node's identity, the asks that wait for an answer and the counters of its commands; dpkg --purge removes it
Node        ${runtime.version}, ${runtime.origin}: the package ${RUNTIME_PACKAGE}
`;
}

/** Debian has the Apache licence's text on every system. */
const OWN_LICENCE =
  "Copyright the Dormouse authors\nLicensed under the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0 has its text.";

const APACHE_TEXT = /^ *Apache License\n[\s\S]*END OF TERMS AND CONDITIONS$/m;

function copyright(licences: readonly { readonly name: string; readonly text: string }[]): string {
  const short = (text: string): string => text.replace(APACHE_TEXT, "Apache License 2.0: /usr/share/common-licenses/Apache-2.0");
  const parts = [{ name: "dormouse-edge", text: OWN_LICENCE }, ...licences.map(({ name, text }) => ({ name, text: short(text) }))];
  return `${parts.map(({ name, text }) => `${name}\n${"=".repeat(name.length)}\n${text}\n`).join("\n")}`;
}
