import { bundledAgents, readsText } from "../../host/agent/registry.ts";

/** Bundled agents that read a sensor: what tests of frames, exits and cards of nets go over. */
export async function sensorAgents(): Promise<string[]> {
  const names = bundledAgents();
  const isText = await Promise.all(names.map((name) => readsText(name)));
  return names.filter((_, i) => !isText[i]);
}
