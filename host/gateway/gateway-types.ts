import type { LoopCounters } from "../agent/loop-types.ts";
import type { Telemetry } from "../core/session/telemetry.ts";
import type { Clock } from "../core/system/clock.ts";
import type { Connect } from "../mqtt/transport/connection.ts";
import type { Environment } from "../security/broker-credentials.ts";
import type { AgentShelf } from "./agent-shelf.ts";
import type { AnnouncedNodes } from "./announced-nodes.ts";
import type { DeviceConfig, GatewayConfig } from "./gateway-config.ts";
import type { GatewayPage } from "./gateway-page.ts";
import type { Progress } from "./watchdog.ts";

/** What the devices of a gateway share. */
export interface Gateway {
  readonly config: GatewayConfig;
  /** Reads the configuration again, for certificates that were replaced in it. */
  readonly readConfig?: (() => GatewayConfig) | undefined;
  /** Folder that survives restarts: identities, pending asks, executed commands. */
  readonly stateFolder: string;
  /** Version of the package, reported as the nodes' firmware. */
  readonly version: string;
  readonly clock: Clock;
  readonly env: Environment;
  readonly connect?: Connect | undefined;
  readonly agents: AgentShelf;
  readonly telemetry: Telemetry;
  readonly page: GatewayPage | undefined;
  readonly announced: AnnouncedNodes;
  /** Tells the service manager how a node is. */
  readonly onStatus: (text: string) => void;
}

/** How the service of a device ended. */
export interface NodeEnd {
  /** By an operator's command: it begins anew. */
  readonly isRebooted: boolean;
  /** Of an agent that ran here. */
  readonly counters?: LoopCounters;
}

/** One device as it is served: its name, and where its sentences go. */
export interface Served {
  readonly device: DeviceConfig;
  readonly agentName: string;
  readonly node: string;
  readonly say: (line: string) => void;
  /** Counts frames for the watchdog. */
  readonly track: (progress: () => Progress) => void;
  readonly signal: AbortSignal;
}
