import { join } from "node:path";
import type { RunAgentOptions } from "../agent/run-agent.ts";
import type { Presence } from "../mqtt/asks/presence.ts";
import { createHomeAssistant } from "../mqtt/home-assistant/companion.ts";
import type { UpdateState } from "../mqtt/home-assistant/discovery.ts";
import { openOutbox } from "../mqtt/outbox/outbox.ts";
import type { BrokerOptions } from "../mqtt/transport/broker-url.ts";
import { type Environment, withCredentials } from "../security/broker-credentials.ts";
import type { DeviceConfig, GatewayConfig } from "./gateway-config.ts";
import type { Gateway, Served } from "./gateway-types.ts";

/** What Home Assistant is told of a node besides its presence. */
export interface NodeFace {
  readonly agent: string;
  readonly labels: readonly string[];
  readonly alarm?: string | undefined;
  /** Of a device that decides itself: which image it runs, and which there is. */
  readonly update?: () => UpdateState | undefined;
}

/** A gateway hangs on the mains: a node that is lost is told soon. */
const LONGEST_SLEEP_SECONDS = 0;

/** The node's end of MQTT: its outbox in the state folder, its identity, its retained state. Undefined without a broker. */
export function nodeAsker(gateway: Gateway, served: Served, presence: Presence, face: NodeFace): RunAgentOptions["asker"] {
  const { config, clock, stateFolder, connect, version } = gateway;
  const { device, node } = served;
  const { broker, site, homeAssistant: prefix } = config;
  if (broker === undefined) return undefined;
  const { update, ...about } = face;
  if (prefix !== undefined) gateway.announced.add({ site, node, agent: face.agent, prefix });
  const companion =
    prefix === undefined
      ? undefined
      : createHomeAssistant({
          about: { ...about, prefix, site, node, version, hasUpdate: update !== undefined },
          clock,
          ...(update && { update }),
        });
  return {
    broker: renewable(broker, device, gateway),
    site,
    node,
    outbox: openOutbox({ path: join(stateFolder, `${node}.outbox`) }),
    presence,
    payload: config.payload ?? (prefix === undefined ? "cbor" : "json"),
    isStateLive: true,
    longestSleepSeconds: LONGEST_SLEEP_SECONDS,
    ...(companion && { companion }),
    ...(connect && { connect }),
  };
}

type ConfiguredBroker = NonNullable<GatewayConfig["broker"]>;

/** The broker as configured; with certificates and password as they are configured when a connection begins. */
function renewable(broker: ConfiguredBroker, device: DeviceConfig, { env, readConfig }: Gateway): BrokerOptions {
  const at = brokerOptions(broker, device, env);
  if (readConfig === undefined) return at;
  const renew = () => {
    const config = readConfig();
    const same = config.devices.find(({ node, match }) => node === device.node && JSON.stringify(match) === JSON.stringify(device.match));
    const { url: _, ...renewed } = brokerOptions(config.broker ?? broker, same ?? device, env);
    return renewed;
  };
  return { ...at, renew };
}

/** The broker with the node's credentials, without the keys that are not given. */
export function brokerOptions(
  { url, passwordFile, ...rest }: ConfiguredBroker,
  { cert = rest.cert, key = rest.key }: Pick<DeviceConfig, "cert" | "key">,
  env: Environment,
): BrokerOptions {
  const given = Object.entries({ ...rest, cert, key }).filter(([, value]) => value !== undefined);
  return withCredentials({ url, ...(Object.fromEntries(given) as Partial<BrokerOptions>) }, env, passwordFile);
}
