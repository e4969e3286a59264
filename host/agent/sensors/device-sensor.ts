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

/** A device's frames from bytes that somebody else reads. */
export interface FrameIntake {
  readonly sensor: DeviceSensor;
  /** Bytes of the link, cut anywhere. */
  push(bytes: Uint8Array): void;
  /** The link was lost: what is unfinished is given up. */
  lost(): void;
}

/** How often a device that is not there is looked for. */
export const RETRY_MILLIS = 5000;
/** Bytes without a sound frame after which a device is said to send noise. */
const NOISE_BYTES = 2048;

/** Turns the bytes of a link into a sensor. What is no frame of the agent's is told in a sentence. */
export function createFrameIntake(
  name: string,
  declared: { readonly rateHz: number; readonly channels: number },
  tell: (text: string) => void,
  onClose: () => void,
): FrameIntake {
  const queue = new FrameQueue(declared.channels);
  let badBytes = 0; // since the last sound frame
  const decoder = createLinkDecoder({
    onFrame(frame) {
      badBytes = 0;
      const flaw = queue.push(frame);
      if (flaw !== undefined) tell(`${name} ${flaw}`);
    },
    onBad(reason, bytes) {
      badBytes += bytes;
      if (badBytes > NOISE_BYTES) tell(noiseText(name, reason));
    },
  });
  const close = () => {
    queue.close();
    onClose();
  };
  const progress = () => ({ arrived: queue.arrived - queue.dropped, taken: queue.taken, dropped: queue.dropped });
  return {
    sensor: { ...declared, name, device: { progress, close }, [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator]() },
    push: (bytes) => decoder.push(bytes),
    lost: () => decoder.end(),
  };
}

/** What is said of a device that sends bytes which are no frames. */
export function noiseText(name: string, reason: string): string {
  return `${name} sends no link frames (${reason}): check the baud rate and the wiring`;
}

/** Reads the sensor frames of a device's link. A device that is missing or goes is looked for every five seconds, until closed. */
export function openDeviceSensor(
  address: LinkAddress,
  declared: { readonly rateHz: number; readonly channels: number },
  { clock, tell, signal }: DeviceSurroundings,
): DeviceSensor {
  const name = linkAddressText(address);
  let port: LinkPort | undefined;
  let isClosed = false;
  let said = ""; // the last sentence, told once
  let cancel: () => void = () => undefined;

  const say = (text: string) => {
    if (text !== said) tell(text);
    said = text;
  };
  const intake = createFrameIntake(name, declared, say, close);
  function close(): void {
    if (isClosed) return;
    isClosed = true;
    cancel();
    port?.close();
    signal?.removeEventListener("abort", intake.sensor.device.close);
  }
  const read = async () => {
    try {
      port = await openLinkPort(address);
      if (!isClosed) {
        say(`reading ${name}`);
        for await (const bytes of port.bytes) intake.push(bytes);
        if (!isClosed) say(`${name} has gone; looking for it again`);
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!isClosed) say(`no device at ${name}: ${why} Trying again every ${RETRY_MILLIS / 1000} s.`);
    }
    port?.close();
    port = undefined;
    intake.lost();
    if (!isClosed) cancel = clock.after(RETRY_MILLIS, () => void read());
  };
  if (signal?.aborted) intake.sensor.device.close();
  else {
    signal?.addEventListener("abort", intake.sensor.device.close, { once: true });
    void read();
  }
  return intake.sensor;
}
