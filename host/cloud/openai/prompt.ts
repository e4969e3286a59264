import type { CloudQuery } from "../provider.ts";
import { sensorFacts } from "./sensor-facts.ts";

/** How the rows of an ask are to be read for people and language models. */
export interface SensorDescription {
  readonly channels: readonly string[]; // e.g. ax, ay, az, gx, gy, gz
  readonly rateHz: number;
  /** What the sensor is and where it sits, one sentence. */
  readonly about: string;
}

export interface ChatMessage {
  readonly role: "system" | "user";
  readonly content: string;
}

/** Why the rows of an ask are not frames of this sensor; undefined where they are. */
export function formFlaw({ form, patchBytes }: CloudQuery, { channels }: SensorDescription): string | undefined {
  if (form === "activations") return "a language model cannot read activations: send features or raw frames";
  const frameBytes = channels.length * (form === "raw" ? 2 : 1);
  if (patchBytes % frameBytes === 0) return undefined;
  return `patches of ${patchBytes} B are no whole frames of ${channels.length} channels, ${frameBytes} B each`;
}

/** The question: facts computed of the window and what came before it, what the device thinks, and the labels to choose from. */
export function promptOf(query: CloudQuery, sensor: SensorDescription): ChatMessage[] {
  const { labels, local } = query;
  const frames = framesOf(query, sensor.channels.length);
  const windowFrames = Math.round((frames.length * query.windowPatches * query.patchBytes) / query.patches.length);
  const seconds = (count: number) => (count / sensor.rateHz).toFixed(2);
  return [
    {
      role: "system",
      content: `You classify what a wearable sensor saw. ${sensor.about} Answer with one JSON object and nothing else: {"label": one of the given labels, "confidence": a number from 0 to 1}.`,
    },
    {
      role: "user",
      content: [
        `Labels: ${labels.map((label) => JSON.stringify(label)).join(", ")}`,
        `The device's own guess: ${JSON.stringify(labels[local.label] ?? "")} with probability ${(local.confidenceQ15 / 32768).toFixed(3)}; it was not sure enough.`,
        `Computed of the last ${seconds(windowFrames)} s of the last ${seconds(frames.length)} s:`,
        ...sensorFacts(frames, windowFrames, sensor),
      ].join("\n"),
    },
  ];
}

/** The rows of an ask as frames of `channels` values. */
function framesOf(query: CloudQuery, channels: number): number[][] {
  const { buffer, byteOffset, byteLength } = query.patches;
  const view = new DataView(buffer, byteOffset, byteLength);
  const values =
    query.form === "raw"
      ? Array.from({ length: byteLength >> 1 }, (_, i) => view.getInt16(2 * i, true))
      : Array.from({ length: byteLength }, (_, i) => view.getInt8(i));
  return Array.from({ length: Math.floor(values.length / channels) }, (_, f) => values.slice(f * channels, (f + 1) * channels));
}
