import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { commandSchema } from "../agent/node-config.ts";
import type { SetPoint } from "../core/session/session-types.ts";
import { checked } from "../core/system/checked.ts";
import { ConfigError, DormouseError } from "../core/system/errors.ts";
import { type ListenAddress, parseListenAddress } from "../core/system/listen-address.ts";
import { readPrivate, readSmall } from "../core/system/private-file.ts";
import { jsonFlaw } from "../core/system/secrets.ts";
import { type ImuAxes, parseImuAxes } from "../data/imu-axes.ts";
import { setPointSchema } from "../mqtt/commands/command.ts";
import { DEFAULT_PREFIX, isDiscoveryPrefix } from "../mqtt/home-assistant/discovery.ts";
import { isName } from "../mqtt/wire/topics.ts";
import { radioKinds } from "../power/board-power.ts";
import { parseMatch } from "./device-match.ts";

/** Devices of one gateway, at most. */
const MAX_DEVICES = 1000;

/** Reads a text by a parser that throws a DormouseError: its message becomes the field's. */
function parsed<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof DormouseError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  };
}

function address(text: string, context: z.RefinementCtx): ListenAddress {
  const found = parseListenAddress(text);
  if (found !== undefined) return found;
  context.addIssue({ code: "custom", message: "expected a port or host:port, e.g. 9464 or 0.0.0.0:9464" });
  return z.NEVER;
}

const name = z.string().refine(isName, "not a name");
/** One `*` stands for what `match` found in the place of its own. */
const nodeName = z.string().refine((text) => isName(text.replace("*", "x")) && !text.replace("*", "").includes("*"), "not a name");
/** PEM, or the path of a file that holds it. */
const pem = z.string().min(1);

/** Without what was left out. */
function givenParts(parts: z.output<typeof setPointSchema>): Partial<SetPoint> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

const deviceSchema = z.strictObject({
  /** Where it is: serial:PATH[@BAUD], with one * in the name for any number of ports; usb:VID:PID[:SERIAL]; tcp:HOST:PORT; synthetic[:SEED]; replay:FILE. */
  match: z.string().min(1).max(512).transform(parsed(parseMatch)),
  /** Unique among the nodes of a site; a * takes what the one of `match` stands for. Default: made at the first start and kept. */
  node: nodeName.optional(),
  /** The agent that decides on its frames. A device that decides itself is known by the hash of its model. Default: the package's, else activity. */
  agent: z.string().min(1).max(512).optional(),
  /** Apply this board's power and thermal model (nrf52840-dk, smart-glasses, …), with this radio. Without it nothing is governed. */
  board: z.string().min(1).optional(),
  radio: z.enum(radioKinds).default("ble"),
  /** Which of the IMU's axes are the body's x, y, z, as in +y-x+z. */
  axes: z
    .string()
    .transform(parsed((text): ImuAxes => parseImuAxes(text)))
    .optional(),
  /** Parts of the set-point at the start; an operator's order comes before it. */
  setPoint: setPointSchema.transform(givenParts).optional(),
  /** Adapt the LDA head to this user from cloud answers; state is kept in this file, relative to the state folder. Off by default. */
  personalize: z.string().min(1).max(512).optional(),
  /** The node's own certificate and key. Default: the broker's. */
  cert: pem.optional(),
  key: pem.optional(),
  ...commandSchema.shape,
});

/** What the configuration of a gateway holds. */
export const gatewayConfigSchema = z.strictObject({
  /** Site of the nodes. Default "home". */
  site: name.default("home"),
  devices: z.array(deviceSchema).min(1).max(MAX_DEVICES),
  /** The MQTT 5 broker. Without one the agents never ask, and nobody is told. */
  broker: z
    .strictObject({
      url: z.string().min(1),
      username: z.string().optional(),
      password: z.string().optional(),
      /** Instead of `password`: a file that holds it, relative to this one. User and password may also come from DORMOUSE_BROKER_USER and DORMOUSE_BROKER_PASSWORD. */
      passwordFile: z.string().min(1).optional(),
      /** The authority to trust instead of the system's. */
      ca: pem.optional(),
      /** The nodes' own certificate and key, client.crt and client.key of an identity (dormouse provision). */
      cert: pem.optional(),
      key: pem.optional(),
    })
    .optional(),
  /** Ed25519 public key of the operator whose commands the nodes accept, and their counter floor, from dormouse.json of an identity. Without it no command is accepted. */
  ...commandSchema.shape,
  /** How state, events and telemetry are written. json also keeps availability and label/{agent} as plain words. Default cbor; json with homeAssistant. */
  payload: z.enum(["cbor", "json"]).optional(),
  /** Tell Home Assistant about the nodes, below this prefix. true: homeassistant. Default false. */
  homeAssistant: z
    .union([
      z.boolean(),
      z.strictObject({ prefix: z.string().refine(isDiscoveryPrefix, "not a topic: use levels of names without + and #") }),
    ])
    .default(false)
    .transform((value) => (value === false ? undefined : value === true ? DEFAULT_PREFIX : value.prefix)),
  /** Seconds between two states and telemetry messages of a node. Default 60. */
  reportSeconds: z.number().min(1).max(86_400).default(60),
  /** Serve Prometheus metrics at [host:]port; without a host on 127.0.0.1. */
  metrics: z.string().transform(address).optional(),
  /** Serve the page with all nodes at [host:]port; without a host on 127.0.0.1. */
  http: z.string().transform(address).optional(),
  /** Push OpenTelemetry metrics and traces, e.g. http://collector:4318. Default OTEL_EXPORTER_OTLP_ENDPOINT. */
  otlp: z.string().min(1).optional(),
  /** Build of the core that runs the models. Default simd. */
  engine: z.enum(["scalar", "simd"]).default("simd"),
  /** Log every decision with its reason. Default false. */
  isVerbose: z.boolean().default(false),
});

export type GatewayConfigInput = z.input<typeof gatewayConfigSchema>;
export type GatewayConfig = Readonly<z.output<typeof gatewayConfigSchema>>;
export type DeviceConfig = GatewayConfig["devices"][number];

/** Fields of the one device that configurations of 0.1 described at the top. */
const OF_ONE_DEVICE = ["node", "board", "radio", "personalize"] as const;

/** Reads and checks the configuration of a gateway; files that it names are relative to it, and PEM is read from them. */
export function readGatewayConfig(path: string): GatewayConfig {
  const mend = "Fix it and restart the gateway.";
  const text = readSmall(path, "the configuration", mend);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError("GATEWAY_CONFIG", `cannot read the configuration ${path}: ${jsonFlaw(cause)}. ${mend}`);
  }
  const config = checked(gatewayConfigSchema, withDevices(value), "GATEWAY_CONFIG", path, "Fix the named fields and restart the gateway.");
  const { broker, devices } = config;
  const holdsSecret = broker?.password !== undefined || [broker?.key, ...devices.map(({ key }) => key)].some(isPem);
  if (holdsSecret && (statSync(path).mode & 0o007) !== 0)
    throw new ConfigError("KEY_EXPOSED", `${path} holds a password or key and is readable by others. Run chmod 600 ${path}.`);
  const folder = dirname(path);
  return {
    ...config,
    devices: devices.map((device) => ({ ...device, ...pemOf(device, folder) })),
    ...(broker === undefined
      ? {}
      : {
          broker: {
            ...broker,
            ...pemOf(broker, folder),
            ...(broker.ca === undefined ? {} : { ca: readPem(broker.ca, folder) }),
            ...(broker.passwordFile === undefined ? {} : { passwordFile: resolve(folder, broker.passwordFile) }),
          },
        }),
  };
}

/** A configuration of one device, as 0.1 wrote it, in the form of today. */
function withDevices(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("sensor" in value) || "devices" in value) return value;
  const { sensor, ...rest } = value as Record<string, unknown>;
  const device: Record<string, unknown> = { match: sensor };
  for (const key of OF_ONE_DEVICE) {
    if (key in rest) device[key] = rest[key];
    delete rest[key];
  }
  return { ...rest, devices: [device] };
}

const isPem = (text: string | undefined): boolean => text?.includes("-----BEGIN") ?? false;

function pemOf({ cert, key }: { readonly cert?: string | undefined; readonly key?: string | undefined }, folder: string) {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) throw new ConfigError("GATEWAY_CONFIG", "cert and key go together: name both, or neither.");
  return { cert: readPem(cert, folder), key: isPem(key) ? key : readPrivate(resolve(folder, key), "the key", "Name a PEM file.") };
}

function readPem(text: string, folder: string): string {
  if (isPem(text)) return text;
  const path = resolve(folder, text);
  try {
    const read = readFileSync(path, "utf8");
    if (isPem(read)) return read;
  } catch (cause) {
    throw new ConfigError(
      "GATEWAY_CONFIG",
      `cannot read the certificate ${path}: ${(cause as NodeJS.ErrnoException).code}. Write PEM, or its path.`,
      { cause },
    );
  }
  throw new ConfigError("GATEWAY_CONFIG", `${path} holds no PEM. Write a certificate, or the path of its file.`);
}
