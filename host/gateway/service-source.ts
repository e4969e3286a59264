import type { LoadedAgent } from "../agent/loaded-agent.ts";
import type { RunAgentOptions } from "../agent/run-agent.ts";
import type { DeviceSurroundings } from "../agent/sensors/device-sensor.ts";
import { openSensor } from "../agent/sensors/open-sensor.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import type { Progress } from "./watchdog.ts";

/** Source of a service's frames. */
export interface Source extends Pick<RunAgentOptions, "pace"> {
  readonly sensor: Sensor;
  /** For the watchdog. */
  progress(): Progress;
}

/** Opens the configured sensor: a device pushes frames at its own pace, a recording or a synthetic sensor is paced by the clock. */
export function openSource(spec: string, agent: LoadedAgent, cwd: string, around: DeviceSurroundings): Source {
  const sensor = openSensor(spec, agent, cwd, around);
  const { device } = sensor;
  if (device !== undefined) {
    const progress = () => {
      const { arrived, taken } = device.progress();
      return { arrived, done: taken };
    };
    return { sensor, progress };
  }
  let taken = 0;
  async function* counted() {
    for await (const frame of sensor) {
      taken++;
      yield frame;
    }
  }
  return {
    sensor: { ...sensor, [Symbol.asyncIterator]: counted },
    pace: { speed: 1 },
    progress: () => ({ arrived: taken, done: taken }),
  };
}
