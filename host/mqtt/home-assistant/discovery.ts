import { createHash } from "node:crypto";
import type { Presence } from "../asks/presence.ts";
import { buildTopics, isName } from "../wire/topics.ts";

// Home Assistant's MQTT discovery of devices: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload

export const DEFAULT_PREFIX = "homeassistant";
const MAX_PREFIX_CHARS = 128;

/** Whether a text may stand before /device/<node>/<id>/config: levels that are names, and nothing that a broker reads as a wildcard. */
export function isDiscoveryPrefix(text: string): boolean {
  return text.length <= MAX_PREFIX_CHARS && text.split("/").every(isName);
}

/** What is told of a node. */
export interface DiscoveredNode {
  readonly prefix: string;
  readonly site: string;
  readonly node: string;
  readonly agent: string;
  /** Empty: unknown, of a device whose model nobody here has. */
  readonly labels: readonly string[];
  readonly alarm?: string | undefined;
  /** Whether `update` says which image the device runs. */
  readonly hasUpdate: boolean;
  /** Of Dormouse. */
  readonly version: string;
}

/** A component of a device: Home Assistant makes an entity of it. */
export type Component = Readonly<Record<string, unknown>> & { readonly p: string };

export interface DiscoveryPayload {
  readonly dev: Readonly<Record<string, unknown>> & { readonly ids: readonly string[] };
  readonly o: { readonly name: string; readonly sw: string };
  readonly avty: readonly Readonly<Record<string, string>>[];
  readonly qos: number;
  readonly cmps: Readonly<Record<string, Component>>;
}

/** Home Assistant takes letters, digits, _ and - alone. */
const plainLevel = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, "-");

/** The device's id: letters, digits, _ and - alone. Names that differ only in other characters get a hash. */
export function discoveryId(site: string, node: string): string {
  const plain = `dormouse_${site}_${node}`;
  const id = plainLevel(plain);
  return id === plain ? id : `${id}_${createHash("sha256").update(plain).digest("hex").slice(0, 8)}`;
}

/** The node's name is a level of its own, so that a broker's access list can let a node announce itself and no other. */
export function discoveryTopic({ prefix, site, node }: Pick<DiscoveredNode, "prefix" | "site" | "node">): string {
  return `${prefix}/device/${plainLevel(node)}/${discoveryId(site, node)}/config`;
}

/** The device with the components that are known of it. All values are retained and none expires: Home Assistant would show a retained one as fresh again. */
export function discoveryPayload(about: DiscoveredNode, presence: Presence): DiscoveryPayload {
  const { site, node, agent, labels, alarm } = about;
  const id = discoveryId(site, node);
  const topics = buildTopics(site, node);
  const component = (p: string, key: string, name: string, rest: Readonly<Record<string, unknown>>): [string, Component] => [
    key,
    { p, unique_id: `${id}_${key}`, name, ...rest },
  ];
  const ofState = (field: keyof Presence) => ({
    state_topic: topics.state,
    value_template: `{{ value_json.${field} }}`,
  });
  const components = [
    component("sensor", "label", "Label", {
      state_topic: topics.label(agent),
      ...(labels.length > 0 && { device_class: "enum", options: [...labels] }),
    }),
    ...(labels.length > 0 ? [component("event", "event", "Change", { state_topic: topics.event(agent), event_types: [...labels] })] : []),
    ...(alarm === undefined
      ? []
      : [
          component("binary_sensor", "alarm", "Alarm", {
            state_topic: topics.label(agent),
            value_template: `{{ 'ON' if value == ${JSON.stringify(alarm)} else 'OFF' }}`,
            device_class: "safety",
          }),
        ]),
    ...(presence.batteryPercent === undefined
      ? []
      : [
          component("sensor", "battery", "Battery", {
            ...ofState("batteryPercent"),
            ...{ device_class: "battery", unit_of_measurement: "%", state_class: "measurement", entity_category: "diagnostic" },
          }),
        ]),
    ...(presence.skinCelsius === undefined
      ? []
      : [
          component("sensor", "skin", "Skin temperature", {
            ...ofState("skinCelsius"),
            ...{ device_class: "temperature", unit_of_measurement: "°C", state_class: "measurement" },
          }),
        ]),
    ...(presence.level === undefined
      ? []
      : [component("sensor", "level", "Degrade level", { ...ofState("level"), entity_category: "diagnostic" })]),
    ...(about.hasUpdate
      ? [
          component("update", "update", "Model", {
            state_topic: topics.update,
            ...{ device_class: "firmware", entity_category: "diagnostic" },
          }),
        ]
      : []),
  ];
  return {
    dev: {
      ids: [id],
      name: node,
      mf: "Dormouse",
      mdl: presence.board ?? agent,
      ...(presence.firmware === undefined ? {} : { sw: presence.firmware }),
    },
    o: { name: "dormouse", sw: about.version },
    avty: [{ topic: topics.availability, payload_available: "online", payload_not_available: "offline" }],
    qos: 1,
    cmps: Object.fromEntries(components),
  };
}

/** The state of an update entity: it may hold no other key, or the whole of it is dropped. */
export interface UpdateState {
  readonly installed_version: string;
  readonly latest_version: string;
  readonly title: string;
}

/** Retained topics of a node; an empty retained message takes each back, the device's first. */
export function retainedTopics(about: Pick<DiscoveredNode, "prefix" | "site" | "node" | "agent">): string[] {
  const topics = buildTopics(about.site, about.node);
  return [discoveryTopic(about), topics.state, topics.availability, topics.update, topics.label(about.agent)];
}
