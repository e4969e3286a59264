import { expect } from "vitest";

// What Home Assistant accepts of MQTT discovery, by its schemas: DEVICE_DISCOVERY_SCHEMA, MQTT_JSON_UPDATE_SCHEMA, event.mqtt.

const PLATFORMS = ["sensor", "binary_sensor", "event", "update"];
const UPDATE_KEYS = [
  "installed_version",
  "latest_version",
  "title",
  "release_summary",
  "release_url",
  "entity_picture",
  "in_progress",
  "update_percentage",
];

export interface Discovered {
  readonly dev: Readonly<Record<string, unknown>>;
  readonly o: Readonly<Record<string, unknown>>;
  readonly avty: readonly Readonly<Record<string, string>>[];
  readonly cmps: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Parses a device's discovery payload and checks it against the rules. */
export function readDiscovery(topic: string, payload: string, prefix: string): Discovered {
  const id = new RegExp(`^${prefix}/device/(?:[A-Za-z0-9_-]+/)?([A-Za-z0-9_-]+)/config$`).exec(topic)?.[1];
  expect(id, topic).toBeDefined();
  const read = JSON.parse(payload) as Discovered;
  expect(Object.keys(read).sort()).toEqual(["avty", "cmps", "dev", "o", "qos"]);
  expect((read.dev.ids as string[] | undefined)?.length ?? 0).toBeGreaterThan(0);
  expect(typeof read.o.name).toBe("string");
  expect(Object.keys(read.cmps).length).toBeGreaterThan(0);
  const ids = new Set<unknown>();
  for (const [key, component] of Object.entries(read.cmps)) {
    expect(PLATFORMS, key).toContain(component.p);
    if (Object.keys(component).length === 1) continue; // it goes: the platform alone
    expect(typeof component.unique_id, key).toBe("string");
    expect(ids).not.toContain(component.unique_id);
    ids.add(component.unique_id);
    expect(component, key).not.toHaveProperty("expire_after"); // values are retained
    expect(typeof component.state_topic, key).toBe("string");
    if (component.p === "event") expect((component.event_types as string[]).length).toBeGreaterThan(0);
    if (component.device_class === "enum") expect((component.options as string[]).length).toBeGreaterThan(0);
  }
  for (const { topic: at, payload_available, payload_not_available } of read.avty)
    expect([at!.endsWith("/availability"), payload_available, payload_not_available]).toEqual([true, "online", "offline"]);
  return read;
}

/** The state that Home Assistant reads of a component from a message on its topic; throws what it would drop. */
export function readState(component: Readonly<Record<string, unknown>>, payload: string, isRetained: boolean): unknown {
  const value = render(component.value_template as string | undefined, payload);
  switch (component.p) {
    case "event": {
      const { event_type } = JSON.parse(payload) as { readonly event_type?: string };
      expect(component.event_types).toContain(event_type);
      expect(isRetained).toBe(false);
      return event_type;
    }
    case "update": {
      const state = JSON.parse(payload) as Readonly<Record<string, unknown>>;
      for (const [key, one] of Object.entries(state)) {
        expect(UPDATE_KEYS).toContain(key); // one unknown key drops the whole message
        if (key !== "update_percentage") expect(one).not.toBeNull();
      }
      return state;
    }
    case "binary_sensor":
      expect(["ON", "OFF"]).toContain(value);
      return value;
    default:
      if (component.device_class === "enum") expect(component.options).toContain(value);
      if (component.unit_of_measurement !== undefined)
        expect(Number.isFinite(Number(value)), `${component.unique_id}: ${value}`).toBe(true);
      return value;
  }
}

/** The two shapes of templates that are used. */
function render(template: string | undefined, payload: string): string {
  if (template === undefined) return payload;
  const field = /^\{\{ value_json\.(\w+) \}\}$/.exec(template)?.[1];
  if (field !== undefined) return String((JSON.parse(payload) as Readonly<Record<string, unknown>>)[field] ?? "");
  const choice = /^\{\{ 'ON' if value == ("[^"]*") else 'OFF' \}\}$/.exec(template)?.[1];
  if (choice === undefined) throw new Error(`a template that the test does not know: ${template}`);
  return payload === JSON.parse(choice) ? "ON" : "OFF";
}
