import type { LoadedAgent } from "../agent/loaded-agent.ts";
import type { Loop } from "../agent/loop-types.ts";
import type { View, ViewInfo } from "../agent/run-view.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import { windowOps } from "../core/image/op-count.ts";
import type { Model } from "../core/session/model.ts";
import type { Clock } from "../core/system/clock.ts";
import type { ListenAddress } from "../core/system/listen-address.ts";
import type { Presence } from "../mqtt/asks/presence.ts";
import type { AgentGovernor } from "../policy/govern/governor-types.ts";
import { openDashboard } from "../web/dashboard.ts";
import { createFleetFeed } from "../web/fleet-feed.ts";

export interface PageNode {
  readonly node: string;
  readonly agent: LoadedAgent;
  readonly model: Model;
  readonly sensor: Sensor;
  readonly governor: AgentGovernor | undefined;
  readonly hasBroker: boolean;
}

/** A node whose agent runs here, on the page. */
export interface ShownNode {
  readonly view: View;
  /** The node's sensor, watched. */
  readonly sensor: Sensor;
  /** The run has begun. */
  start(loop: Loop): void;
  close(): void;
}

/** The page of a gateway: a table of its nodes, and a page of each whose agent runs here. */
export interface GatewayPage {
  readonly url: string;
  show(node: PageNode): ShownNode;
  /** What is known of a node that decides itself. */
  update(node: string, presence: Presence, asks: number): void;
  /** The node's device has gone. */
  gone(node: string): void;
  close(): Promise<void>;
}

export async function openGatewayPage(clock: Clock, address: ListenAddress, labels: readonly string[]): Promise<GatewayPage> {
  const fleet = createFleetFeed(clock, labels);
  const page = await openDashboard({ clock, address, speed: 1, tools: { fleet } });
  const last = new Map<string, Parameters<GatewayPage["update"]>[1]>();

  const update = (node: string, presence: Presence, asks: number, state: "awake" | "offline" = "awake") => {
    last.set(node, presence);
    const { label = "", batteryPercent, skinCelsius = -1, model = "", firmware = "" } = presence;
    fleet.set({
      ...{ node, state, label, skinCelsius, model, firmware, asks },
      stateOfCharge: batteryPercent === undefined ? -1 : batteryPercent / 100,
      wallMillis: clock.wall(),
    });
  };

  return {
    url: page.url,
    update,
    show({ node, agent, model, sensor, governor, hasBroker }) {
      const { definition } = agent;
      const { image } = model;
      const { rateHz } = definition.sensor;
      let loop: Loop | undefined;
      const info: ViewInfo = {
        agent: definition.name,
        sensor: sensor.name,
        speed: 1,
        rateHz,
        labels: image.manifest.labels,
        nExits: image.exits.length,
        hopSeconds: (image.hopPatches * image.patchFrames) / rateHz,
        hopMacs: (windowOps(image, image.exits.length - 1).macs * image.hopPatches) / image.windowPatches,
        arenaBytes: model.arenaBytes,
        imageBytes: model.imageBytes,
        hasBroker,
      };
      const shown = page.show({ info, node, model, sensor, loop: () => loop, power: governor && (() => governor.status()) });
      const tell = (running: Loop) => update(node, { model: model.imageHash, ...running.presence() }, running.counters().asked);
      return {
        sensor: shown.sensor,
        view: {
          ...shown.view,
          onStep(step) {
            shown.view.onStep(step);
            if (loop !== undefined && (step.kind === "decision" || step.kind === "outcome")) tell(loop);
          },
        },
        start(started) {
          loop = started;
          tell(loop);
        },
        close: () => shown.view.close(),
      };
    },
    gone(node) {
      const presence = last.get(node);
      if (presence !== undefined) update(node, presence, 0, "offline");
    },
    close: () => page.close("The gateway has stopped."),
  };
}
