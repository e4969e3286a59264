import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { commandSchema } from "../agent/node-config.ts";
import { checked } from "../core/system/checked.ts";
import { ConfigError } from "../core/system/errors.ts";
import { type ListenAddress, parseListenAddress } from "../core/system/listen-address.ts";
import { readSmall } from "../core/system/private-file.ts";
import { jsonFlaw } from "../core/system/secrets.ts";
import { isName } from "../mqtt/wire/topics.ts";
import { radioKinds } from "../power/board-power.ts";

function metricsAddress(text: string, context: z.RefinementCtx): ListenAddress {
  const address = parseListenAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: "custom", message: "expected a port or host:port, e.g. 9464 or 0.0.0.0:9464" });
  return z.NEVER;
}

/** What /etc/dormouse/<agent>.json of a gateway holds. */
export const serviceConfigSchema = z.strictObject({
  /** Site of the node. Default "home". */
  site: z.string().refine(isName, "not a name").default("home"),
  /** Unique among the nodes of a site. Default: made at the first start and kept in the state folder. */
  node: z.string().refine(isName, "not a name").optional(),
  /** Source of frames: serial:PATH, serial:PATH@BAUD, synthetic, synthetic:SEED or replay:FILE.dls. */
  sensor: z.string().min(1).max(512),
  /** The MQTT 5 broker. Without one the agent never asks. */
  broker: z
    .strictObject({
      url: z.string().min(1),
      username: z.string().optional(),
      password: z.string().optional(),
      /** Instead of `password`: a file that holds it, relative to this one. User and password may also come from DORMOUSE_BROKER_USER and DORMOUSE_BROKER_PASSWORD. */
      passwordFile: z.string().min(1).optional(),
      /** PEM: the authority to trust instead of the system's. */
      ca: z.string().optional(),
      /** PEM: the node's own certificate and key, client.crt and client.key of its identity (dormouse provision). `node` and `site` as it says. */
      cert: z.string().optional(),
      key: z.string().optional(),
    })
    .optional(),
  /** Ed25519 public key of the operator whose commands the node accepts, and their counter floor, from dormouse.json of its identity. Without it no command is accepted. */
  ...commandSchema.shape,
  /** Apply this board's power and thermal model (nrf52840-dk, smart-glasses, …), with this radio. Without it nothing is governed. */
  board: z.string().min(1).optional(),
  radio: z.enum(radioKinds).default("ble"),
  /** Adapt the LDA head to this user from cloud answers; state is kept in this file, relative to the state folder. Off by default. */
  personalize: z.string().min(1).max(512).optional(),
  /** Serve Prometheus metrics at [host:]port; without a host on 127.0.0.1. */
  metrics: z.string().transform(metricsAddress).optional(),
  /** Push OpenTelemetry metrics and traces, e.g. http://collector:4318. Default OTEL_EXPORTER_OTLP_ENDPOINT. */
  otlp: z.string().min(1).optional(),
  /** Build of the core that runs the model. Default simd. */
  engine: z.enum(["scalar", "simd"]).default("simd"),
  /** Log every decision with its reason. Default false. */
  isVerbose: z.boolean().default(false),
});

export type ServiceConfigInput = z.input<typeof serviceConfigSchema>;
export type ServiceConfig = Readonly<z.output<typeof serviceConfigSchema>>;

/** Reads and checks the configuration of a gateway service. */
export function readServiceConfig(path: string): ServiceConfig {
  const mend = "Fix it and restart the service.";
  const text = readSmall(path, "the configuration", mend);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError("SERVICE_CONFIG", `cannot read the configuration ${path}: ${jsonFlaw(cause)}. ${mend}`);
  }
  const config = checked(serviceConfigSchema, value, "SERVICE_CONFIG", path, "Fix the named fields and restart the service.");
  const { broker } = config;
  if ((broker?.password ?? broker?.key) !== undefined && (statSync(path).mode & 0o007) !== 0) {
    throw new ConfigError("KEY_EXPOSED", `${path} holds a password or key and is readable by others. Run chmod 600 ${path}.`);
  }
  if (broker?.passwordFile === undefined) return config;
  return { ...config, broker: { ...broker, passwordFile: resolve(dirname(path), broker.passwordFile) } };
}
