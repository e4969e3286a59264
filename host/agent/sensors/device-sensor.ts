import type { Clock } from "../../core/system/clock.ts";
import { type LinkAddress, linkAddressText } from "../../link/link-address.ts";
import { type LinkPort, openLinkPort } from "../../link/link-port.ts";
import { createLinkDecoder } from "../../link/stream.ts";
import { FrameQueue } from "./frame-queue.ts";
import type { DeviceFrames, Sensor } from "./sensor.ts";

/** How a device is watched. */
export interface DeviceSurroundings {
  readonly clock: Clock;
  /** Gets a sentence when the device comes, goes or sends what is no frame; a repeated one once. */
  readonly tell: (text: string) => void;
  /** Ends the frames. */
  readonly signal?: AbortSignal;
}

export interface DeviceSensor extends Sensor {
  readonly device: DeviceFrames;
}

const RETRY_MILLIS = 5000;
/** Bytes without a sound frame after which a device is said to send noise. */
const NOISE_BYTES = 2048;

/** Reads the sensor frames of a device's link. A device that is missing or goes is looked for every five seconds, until closed. */
export function openDeviceSensor(
  address: LinkAddress,
  declared: { readonly rateHz: number; readonly channels: number },
  { clock, tell, signal }: DeviceSurroundings,
): DeviceSensor {
  const queue = new FrameQueue(declared.channels);
  const name = linkAddressText(address);
  let port: LinkPort | undefined;
  let isClosed = false;
  let said = ""; // the last sentence, told once
  let cancel: () => void = () => undefined;
  let badBytes = 0; // since the last sound frame

  const say = (text: string) => {
    if (text !== said) tell(text);
    said = text;
  };
  const decoder = createLinkDecoder({
    onFrame(frame) {
      badBytes = 0;
      const flaw = queue.push(frame);
      if (flaw !== undefined) say(`${name} ${flaw}`);
    },
    onBad(reason, bytes) {
      badBytes += bytes;
      if (badBytes > NOISE_BYTES) say(`${name} sends no link frames (${reason}): check the baud rate and the wiring`);
    },
  });
  const read = async () => {
    try {
      port = await openLinkPort(address);
      if (!isClosed) {
        say(`reading ${name}`);
        for await (const bytes of port.bytes) decoder.push(bytes);
        if (!isClosed) say(`${name} has gone; looking for it again`);
      }
    } catch (error) {
      if (!isClosed)
        say(`no device at ${name}: ${error instanceof Error ? error.message : String(error)} Trying again every ${RETRY_MILLIS / 1000} s.`);
    }
    port?.close();
    port = undefined;
    decoder.end();
    if (!isClosed) cancel = clock.after(RETRY_MILLIS, () => void read());
  };
  const close = () => {
    isClosed = true;
    cancel();
    port?.close();
    queue.close();
    signal?.removeEventListener("abort", close);
  };
  if (signal?.aborted) close();
  else {
    signal?.addEventListener("abort", close, { once: true });
    void read();
  }
  return {
    ...declared,
    name,
    device: { progress: () => ({ arrived: queue.arrived - queue.dropped, taken: queue.taken, dropped: queue.dropped }), close },
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  };
}
