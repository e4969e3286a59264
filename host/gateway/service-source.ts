import type { LoadedAgent } from "../agent/loaded-agent.ts";
import type { RunAgentOptions } from "../agent/run-agent.ts";
import { openSensor } from "../agent/sensors/open-sensor.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import type { Clock } from "../core/system/clock.ts";
import { openSerialSensor, parseSerialSpec } from "./serial-sensor.ts";
import type { Progress } from "./watchdog.ts";

/** Source of a service's frames. */
export interface Source extends Pick<RunAgentOptions, "pace"> {
  readonly sensor: Sensor;
  /** For the watchdog. */
  progress(): Progress;
  close(): void;
}

/** Opens the configured sensor: a device pushes frames at its own pace, a recording or a synthetic sensor is paced by the clock. */
export function openSource(
  spec: string,
  agent: LoadedAgent,
  options: { readonly cwd: string; readonly clock: Clock; readonly say: (line: string) => void; readonly signal: AbortSignal },
): Source {
  const { clock, say, signal } = options;
  const { rateHz, channels } = agent.definition.sensor;
  const serial = parseSerialSpec(spec);
  if (serial !== undefined) {
    const sensor = openSerialSensor(serial, { rateHz, channels }, { clock, tell: say });
    if (signal.aborted) sensor.close();
    const { queue } = sensor;
    return { sensor, progress: () => ({ arrived: queue.arrived - queue.dropped, done: queue.taken }), close: sensor.close };
  }
  const sensor = openSensor(spec, agent, options.cwd);
  let taken = 0;
  async function* counted() {
    for await (const frame of sensor) {
      taken++;
      yield frame;
    }
  }
  return {
    sensor: { name: sensor.name, rateHz, channels, [Symbol.asyncIterator]: counted },
    pace: { speed: 1 },
    progress: () => ({ arrived: taken, done: taken }),
    close: () => undefined,
  };
}
