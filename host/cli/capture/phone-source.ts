import { networkInterfaces } from "node:os";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { type ListenAddress, parseListenAddress } from "../../core/system/listen-address.ts";
import { startPhoneServer } from "../../web/phone-server.ts";
import { BeatResampler } from "./beat-resampler.ts";
import { phaseText } from "./capture-screen.ts";
import { type CaptureControls, type CaptureSource, type CaptureSurroundings, recordedChannels } from "./capture-source.ts";
import { SampleQueue } from "./sample-queue.ts";

const SENDER = { name: "phone", mend: "end its low-power mode, or use another browser" };

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
  const queue = new SampleQueue(signal);
  const resampler = new BeatResampler(sensor.rateHz, SENDER, tell);
  let controls: CaptureControls | undefined;
  const server = await startPhoneServer(address, clock.wall(), {
    onSamples(samples) {
      for (const sample of samples) queue.push(resampler.push(sample));
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
  return {
    name: "phone",
    channels: recordedChannels(agent),
    isMeasured: false,
    rate: () => resampler.rate(),
    attach(given) {
      controls = given;
    },
    samples: queue,
    url: server.url,
    close: server.close,
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
