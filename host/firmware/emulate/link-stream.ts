import * as device from "../../../assembly/device/layout.ts";
import type { SetPoint } from "../../core/session/session-types.ts";
import { encodeCommand } from "../../link/command.ts";
import { encodeSetPoint } from "../../link/decision.ts";
import { encodeNodeHello } from "../../link/hello.ts";
import { createLinkWriter } from "../../link/stream.ts";

export interface LinkStreamOptions {
  /** Index of the agent, 255 for all. Default 255. */
  readonly agent?: number;
  /** Set-point in force from the start. Default: the image's own. */
  readonly setPoint?: SetPoint;
  /** Every decision carries a hash of logits and state. Default true. */
  readonly hash?: boolean;
  /** Ticks of stillness after which the models sleep; 0 = never. Default 0: recordings are of wearers. */
  readonly notWornTicks?: number;
}

/** A stretch of consecutive frames, (n, channels). */
export interface Stretch {
  readonly channels: number;
  readonly samples: Int16Array;
}

/** More lost frames than any agent's gap limit: the state is reset between two stretches. */
const GAP_TICKS = 1000;

/** Stretches of frames as a link stream, for a device's fd 0. */
export function makeLinkStream(stretches: Iterable<Stretch>, options: LinkStreamOptions = {}): Uint8Array {
  const { agent = device.LINK_DEVICE, setPoint, hash = true, notWornTicks = 0 } = options;
  const parts: Uint8Array[] = [];
  const writer = createLinkWriter((bytes) => parts.push(bytes));
  writer.message("hello", device.LINK_DEVICE, encodeNodeHello({ node: "replay", newTicks: true }));
  const option = (name: "hash" | "stillVariance" | "notWornTicks", value: number) =>
    writer.message("command", device.LINK_DEVICE, encodeCommand({ verb: "option", option: name, value }));
  option("hash", hash ? 1 : 0);
  if (notWornTicks === 0) option("stillVariance", 0);
  else option("notWornTicks", notWornTicks);
  if (setPoint !== undefined) writer.message("set-point", agent, encodeSetPoint(setPoint));
  for (const { tick, channels, samples } of placed(stretches)) writer.sensor(agent, tick, channels, samples);
  return Buffer.concat(parts);
}

/** The same frames, one at a time, with the ticks that the stream gives them. */
export function* stretchFrames(stretches: Iterable<Stretch>): Generator<{ readonly tick: number; readonly frame: Int16Array }> {
  for (const { tick, channels, samples } of placed(stretches)) {
    for (let i = 0; i * channels < samples.length; i++) {
      yield { tick: (tick + i) >>> 0, frame: samples.subarray(i * channels, (i + 1) * channels) };
    }
  }
}

function* placed(stretches: Iterable<Stretch>): Generator<Stretch & { readonly tick: number }> {
  let tick = 0;
  for (const stretch of stretches) {
    yield { ...stretch, tick };
    tick = (tick + stretch.samples.length / stretch.channels + GAP_TICKS) >>> 0;
  }
}
