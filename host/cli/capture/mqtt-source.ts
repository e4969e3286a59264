import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { parseBrokerUrl } from "../../mqtt/transport/broker-url.ts";
import { createConnection } from "../../mqtt/transport/connection.ts";
import { withoutSession } from "../../mqtt/transport/without-session.ts";
import { BeatResampler, type TimedSample } from "./beat-resampler.ts";
import { type CaptureSource, type CaptureSurroundings, recordedChannels } from "./capture-source.ts";
import type { RecordedChannel } from "./recording-file.ts";
import { SampleQueue } from "./sample-queue.ts";

/** Longest message that is read: one sample is a tenth of it. */
const MOST_BYTES = 4096;
const SENDER = { name: "topic", mend: "let the device send faster" };

/** A broker and the topic on it that carries samples. */
export interface MqttSensor {
  readonly broker: string;
  readonly topic: string;
}

/** Parses `mqtt://HOST[:PORT]/TOPIC`, also with mqtts and mqtt+insecure; undefined for what begins otherwise. Throws SENSOR_UNKNOWN, BROKER_…. */
export function parseMqttSensor(text: string): MqttSensor | undefined {
  if (!/^mqtt(s|\+insecure)?:\/\//.test(text)) return undefined;
  const match = /^([^/]+\/\/[^/]+)\/([^+#]+)$/.exec(text);
  if (match === null)
    throw new ConfigError("SENSOR_UNKNOWN", "this MQTT sensor names no topic, or one with + or #. Write mqtt://127.0.0.1:1883/wrist/imu.");
  const [, broker = "", topic = ""] = match;
  parseBrokerUrl({ url: broker });
  return { broker, topic };
}

/**
 * Reads a message: JSON, a list with a number per channel or an object with the channels' names, which may have `millis`, the device's own
 * time. Undefined for anything else. `nowMillis`: when it came.
 */
export function readMqttSample(payload: Uint8Array, channels: readonly RecordedChannel[], nowMillis: number): TimedSample | undefined {
  if (payload.length > MOST_BYTES) return undefined;
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null) return undefined;
  const named = message as Readonly<Record<string, unknown>>;
  const values = Array.isArray(message)
    ? (message as unknown[])
    : channels.map(({ name }) => (Object.hasOwn(named, name) ? named[name] : undefined));
  const millis = Array.isArray(message) || named.millis === undefined ? nowMillis : named.millis;
  const isSample = values.length === channels.length && [millis, ...values].every((value) => Number.isFinite(value));
  return isSample ? [millis as number, ...(values as number[])] : undefined;
}

/** Subscribes to the topic until the signal aborts; a broker that is away is looked for again. */
export function openMqttSource(
  { broker, topic }: MqttSensor,
  agent: LoadedAgent,
  { clock, tell, signal }: CaptureSurroundings,
): CaptureSource {
  const channels = recordedChannels(agent);
  const queue = new SampleQueue(signal);
  const resampler = new BeatResampler(agent.definition.sensor.rateHz, SENDER, tell);
  let isToldBad = false;
  const connection = createConnection({
    broker: { url: broker },
    ...withoutSession("capture"),
    clock,
    keepAliveSeconds: 30,
    receiveMaximum: 64,
    filters: () => [topic],
    onMessage({ payload, retain }) {
      if (retain) return; // an old value
      const sample = readMqttSample(payload, channels, clock.now());
      if (sample !== undefined) return queue.push(resampler.push(sample));
      if (!isToldBad)
        tell(
          `A message on ${topic} is no sample: send JSON with ${channels.map(({ name }) => name).join(", ")}, or a list of ${channels.length} numbers.`,
        );
      isToldBad = true;
    },
    onState: (state, detail) =>
      tell(state === "online" ? `subscribed to ${topic}` : `the broker is ${state}${detail ? `: ${detail}` : ""}`),
  });
  signal.addEventListener("abort", () => void connection.close(), { once: true });
  connection.open();
  return { name: `mqtt:${topic}`, channels, isMeasured: false, rate: () => resampler.rate(), samples: queue };
}
