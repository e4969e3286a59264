import { X509Certificate } from "node:crypto";
import { createServer } from "node:net";
import type { Clock } from "../core/system/clock.ts";
import { hostText, type ListenAddress, listenAt } from "../core/system/listen-address.ts";
import { urlText } from "../core/system/secrets.ts";
import { linkAddressText } from "../link/link-address.ts";
import { expiryWarnings } from "../mqtt/transport/certificate-expiry.ts";
import { type Connect, createConnection } from "../mqtt/transport/connection.ts";
import type { Environment } from "../security/broker-credentials.ts";
import { createAgentShelf } from "./agent-shelf.ts";
import { findPorts } from "./device-match.ts";
import type { GatewayConfig } from "./gateway-config.ts";
import { brokerOptions } from "./node-asker.ts";
import { visitBroker } from "./visit-broker.ts";

/** One thing that was looked at. `warning`: the gateway starts and tries again by itself; `failed`: it would not start. */
export interface Finding {
  readonly what: string;
  readonly result: "ok" | "warning" | "failed";
  readonly text: string;
}

/** How long the broker may take to answer. */
const BROKER_MILLIS = 5000;

/** Looks at what a gateway needs, without starting it: agents, certificates, ports of its servers, the broker and the devices. */
export async function checkGateway(options: {
  readonly config: GatewayConfig;
  readonly agentsFolder: string;
  readonly cwd: string;
  readonly defaultAgent?: string | undefined;
  readonly env: Environment;
  readonly clock: Clock;
  readonly connect?: Connect;
}): Promise<readonly Finding[]> {
  const { config, env, clock, connect = createConnection } = options;
  const findings: Finding[] = [];
  const failed = (what: string, error: unknown) =>
    findings.push({ what, result: "failed", text: error instanceof Error ? error.message : String(error) });

  const agents = createAgentShelf(options.agentsFolder, options.cwd, config.engine);
  for (const name of new Set(config.devices.map(({ agent }) => agent ?? options.defaultAgent ?? "activity"))) {
    try {
      const { model } = await agents.open(name);
      findings.push({ what: `agent ${name}`, result: "ok", text: `model ${model.imageHash.slice(0, 12)}` });
    } catch (error) {
      failed(`agent ${name}`, error);
    }
  }
  for (const [what, address] of [["metrics", config.metrics] as const, ["http", config.http] as const])
    if (address !== undefined) findings.push(await checkPort(what, address));
  for (const { match } of config.devices) {
    if (match.kind === "frames") findings.push({ what: "device", result: "ok", text: match.sensor });
    else {
      const found = findPorts(match).map(({ address }) => linkAddressText(address));
      const text =
        found.length > 0
          ? found.join(", ")
          : `none of ${match.kind === "usb" ? `usb:${match.vendor}:${match.product}` : linkAddressText({ ...match, kind: "serial" } as never)} is there now; it is looked for again and again`;
      findings.push({ what: "device", result: found.length > 0 ? "ok" : "warning", text });
    }
  }
  if (config.broker === undefined) return findings;
  const { broker } = config;
  for (const pair of [broker, ...config.devices]) {
    if (pair.cert === undefined) continue;
    try {
      const { subject, validTo } = new X509Certificate(pair.cert);
      findings.push({ what: "certificate", result: "ok", text: `${subject.replace(/\n/g, ", ")}, valid until ${validTo}` });
    } catch {
      findings.push({
        what: "certificate",
        result: "failed",
        text: "it is no X.509 certificate in PEM: write one, or the path of its file.",
      });
    }
  }
  try {
    const to = brokerOptions(broker, {}, env);
    for (const text of expiryWarnings(to, clock.wall())) findings.push({ what: "certificate", result: "warning", text });
    findings.push(await checkBroker(to, connect, clock));
  } catch (error) {
    failed("broker", error);
  }
  return findings;
}

async function checkPort(what: string, address: ListenAddress): Promise<Finding> {
  const at = `${hostText(address.host)}:${address.port}`;
  const server = createServer();
  try {
    await listenAt(server, address);
    return { what, result: "ok", text: `${at} is free` };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    return { what, result: "failed", text: `cannot listen on ${at}: ${code}. Choose another port, or stop what uses it.` };
  } finally {
    server.close();
  }
}

async function checkBroker(broker: Parameters<Connect>[0]["broker"], connect: Connect, clock: Clock): Promise<Finding> {
  let detail = "no answer";
  let isOnline = false;
  await visitBroker({
    ...{ role: "check", broker, connect, clock, limitMillis: BROKER_MILLIS },
    backoff: { firstMillis: BROKER_MILLIS, maxMillis: BROKER_MILLIS },
    onState(state, why, _connection, leave) {
      if (state === "connecting") return;
      isOnline = state === "online";
      detail = why ?? detail;
      leave();
    },
  });
  const at = urlText(broker.url);
  if (isOnline) return { what: "broker", result: "ok", text: `${at} answers` };
  return {
    what: "broker",
    result: "warning",
    text: `${at} cannot be reached now: ${detail.replace(/; next try in .*/, "")}. The gateway goes on trying.`,
  };
}
