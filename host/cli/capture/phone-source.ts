import { networkInterfaces } from "node:os";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { type ListenAddress, parseListenAddress } from "../../core/system/listen-address.ts";
import { startPhoneServer } from "../../web/phone-server.ts";
import { phaseText } from "./capture-screen.ts";
import {
  type CaptureControls,
  type CapturedSample,
  type CaptureSource,
  type CaptureSurroundings,
  recordedChannels,
} from "./capture-source.ts";
import { PhoneResampler } from "./phone-resampler.ts";

/** Samples that may wait to be written: a minute at 50 Hz. */
const MOST_WAITING = 3000;

/** A phone as a sensor, and the address that it opens. */
export interface PhoneSource extends CaptureSource {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the page for one phone, whose motion is recorded. Throws CAPTURE_PHONE for an agent that reads no IMU, HTTP_LISTEN_FAILED. */
export async function openPhoneSource(
  address: ListenAddress,
  agent: LoadedAgent,
  labels: readonly string[],
  { clock, tell, signal }: CaptureSurroundings,
): Promise<PhoneSource> {
  const { name, sensor } = agent.definition;
  if (sensor.kind !== "imu")
    throw new ConfigError("CAPTURE_PHONE", `agent ${name} reads no IMU: a phone has only that. Record its sensor with --sensor.`);
  const waiting: CapturedSample[] = [];
  const resampler = new PhoneResampler(sensor.rateHz, tell);
  let controls: CaptureControls | undefined;
  let wake = (): void => {};
  const server = await startPhoneServer(address, clock.wall(), {
    onSamples(samples) {
      for (const sample of samples) waiting.push(...resampler.push(sample));
      waiting.splice(0, Math.max(0, waiting.length - MOST_WAITING));
      wake();
    },
    onKey: (key) => controls?.press(key),
    state: () => ({
      agent: name,
      phase: controls === undefined ? "" : phaseText(controls.session),
      label: controls?.session.label ?? null,
      labels,
      trouble: resampler.trouble,
    }),
  });
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort, { once: true });
  async function* samples(): AsyncGenerator<CapturedSample> {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return {
    name: "phone",
    channels: recordedChannels(agent),
    isMeasured: false,
    rate: () => resampler.rate(),
    attach(given) {
      controls = given;
    },
    samples: { [Symbol.asyncIterator]: samples },
    url: server.url,
    async close() {
      signal.removeEventListener("abort", onAbort);
      await server.close();
    },
  };
}

/** Where the page is served: as `--phone` says, or this machine's one address in its network. Throws CAPTURE_ADDRESS if it has none or several. */
export function phoneAddress(given: string | true, interfaces = networkInterfaces()): ListenAddress {
  if (given !== true) {
    const address = parseListenAddress(given) ?? parseListenAddress(`${given}:0`);
    if (address !== undefined) return address;
    throw new ConfigError(
      "CAPTURE_ADDRESS",
      `--phone ${given} is no address: give this machine's own, as in 192.168.1.20 or 192.168.1.20:8443.`,
    );
  }
  const hosts = Object.values(interfaces).flatMap((list = []) =>
    list.filter(({ family, internal }) => family === "IPv4" && !internal).map((one) => one.address),
  );
  if (hosts.length === 1) return { host: hosts[0]!, port: 0 };
  throw new ConfigError(
    "CAPTURE_ADDRESS",
    hosts.length === 0
      ? "this machine has no address in a network: join the phone's network, or give one with --phone HOST."
      : `this machine has several addresses (${hosts.join(", ")}): give the one in the phone's network, as in --phone ${hosts[0]}.`,
  );
}
