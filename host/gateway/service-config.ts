import { readFileSync } from "node:fs";
import { z } from "zod";
import { checked } from "../agent/checked.ts";
import { ConfigError } from "../core/errors.ts";

/** What /etc/dormouse/<agent>.json of a gateway holds. */
export const serviceConfigSchema = z.strictObject({
  /** Where the node belongs. Default "home". */
  site: z.string().min(1).max(64).default("home"),
  /** Unique among the nodes of a site. Left out: made at the first start and kept in the state folder. */
  node: z.string().min(1).max(64).optional(),
  /** Where frames come from: serial:PATH, serial:PATH@BAUD, synthetic, synthetic:SEED or replay:FILE.dls. */
  sensor: z.string().min(1).max(512),
  /** The MQTT 5 broker. Left out: decides alone and never asks. */
  broker: z
    .strictObject({
      url: z.string().min(1),
      username: z.string().optional(),
      password: z.string().optional(),
      /** PEM: the authority to trust instead of the system's. */
      ca: z.string().optional(),
      /** PEM: the node's own certificate and key, client.crt and client.key of its identity (dormouse provision). `node` and `site` as it says. */
      cert: z.string().optional(),
      key: z.string().optional(),
    })
    .optional(),
  /** What runs the model. Default simd. */
  engine: z.enum(["scalar", "simd"]).default("simd"),
  /** Log every decision with its reason. Default false. */
  isVerbose: z.boolean().default(false),
});

export type ServiceConfigInput = z.input<typeof serviceConfigSchema>;
export type ServiceConfig = Readonly<z.output<typeof serviceConfigSchema>>;

/** Reads and checks the configuration of a gateway service. */
export function readServiceConfig(path: string): ServiceConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError("SERVICE_CONFIG", `cannot read the configuration ${path}: ${String(cause)}. Mend it and restart the service.`, {
      cause,
    });
  }
  return checked(serviceConfigSchema, value, "SERVICE_CONFIG", path, "Mend the named fields and restart the service.");
}
