import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { readImage } from "../../core/image/image-read.ts";
import { ConfigError, DataError } from "../../core/system/errors.ts";
import { holdsCsv } from "../../data/csv/csv-folder.ts";
import { loadHapt } from "../../data/hapt.ts";
import { checkImuCounts, openRecordings } from "../../data/open-recordings.ts";
import type { LoadedAgent } from "../loaded-agent.ts";
import { csvSensor } from "./csv-sensor.ts";
import { type DeviceSurroundings, openDeviceSensor } from "./device-sensor.ts";
import { haptSensor } from "./hapt-sensor.ts";
import type { Sensor } from "./sensor.ts";
import { parseSensorSpec } from "./spec.ts";
import { streamSensor } from "./stream-sensor.ts";
import { readSyntheticParameters, syntheticSensor } from "./synthetic-sensor.ts";

/**
 * Opens the sensor that `text` names for an agent, and checks that it fits the agent's declaration: the one way of every verb. `around`
 * is what a device needs; left out, serial ports and TCP are refused. The frames of a device end by its `close` or `around.signal`.
 */
export function openSensor(text: string, agent: LoadedAgent, cwd = process.cwd(), around?: DeviceSurroundings): Sensor {
  const sensor = open(text, agent, cwd, around);
  const declared = agent.definition.sensor;
  if (sensor.rateHz !== declared.rateHz || sensor.channels !== declared.channels) {
    throw new ConfigError(
      "SENSOR_MISMATCH",
      `sensor ${sensor.name} gives ${sensor.channels} channels at ${sensor.rateHz} Hz, agent ${agent.definition.name} takes ${declared.channels} at ${declared.rateHz} Hz. Choose another sensor.`,
    );
  }
  return sensor;
}

function open(text: string, agent: LoadedAgent, cwd: string, around: DeviceSurroundings | undefined): Sensor {
  const spec = parseSensorSpec(text);
  if (spec.kind === "serial" || spec.kind === "tcp") {
    if (around === undefined)
      throw new ConfigError("SENSOR_DEVICE", `a device (${text}) cannot be read here: use synthetic or replay:…, or dormouse run.`);
    const { rateHz, channels } = agent.definition.sensor;
    return openDeviceSensor(spec, { rateHz, channels }, around);
  }
  if (spec.kind === "synthetic") {
    if (agent.syntheticPath === undefined) {
      throw new ConfigError(
        "SENSOR_NO_SYNTHETIC",
        `agent ${agent.definition.name} has no synthetic wearer. Use --sensor serial:…, tcp:… or replay:…, or name one as synthetic in its agent.ts.`,
      );
    }
    return syntheticSensor(readSyntheticParameters(agent.syntheticPath), spec.seed);
  }
  const path = resolve(cwd, spec.path);
  if (!existsSync(path)) throw new DataError("REPLAY_MISSING", `nothing to replay at ${path}: check the path.`);
  const { rateHz, channels } = agent.definition.sensor;
  const isCsv = holdsCsv(path);
  if (!isCsv && !statSync(path).isDirectory()) return streamSensor(path, rateHz, channels);
  const { data } = agent.definition;
  const { manifest } = readImage(new Uint8Array(readFileSync(agent.modelPath)));
  if (!isCsv && (data === undefined || data === "hapt")) {
    checkImuCounts(path, manifest);
    return haptSensor(loadHapt(path), spec, path); // has experiments, and labels of its own
  }
  return csvSensor(openRecordings(path, manifest, data), spec, manifest, path);
}
