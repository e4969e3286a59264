import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { isatty, ReadStream } from "node:tty";
import { promisify } from "node:util";
import type { Sensor } from "../agent/sensors/sensor.ts";
import type { Clock } from "../core/system/clock.ts";
import { ConfigError } from "../core/system/errors.ts";
import { createLinkDecoder } from "../link/stream.ts";
import { FrameQueue } from "./frame-queue.ts";

export interface SerialSpec {
  readonly path: string;
  readonly baud: number;
}

export interface SerialSensor extends Sensor {
  readonly queue: FrameQueue;
  close(): void;
}

const DEFAULT_BAUD = 115_200;
const RETRY_MILLIS = 5000;

/** Parses `serial:PATH[@BAUD]`; undefined for another kind of sensor. */
export function parseSerialSpec(text: string): SerialSpec | undefined {
  if (!text.startsWith("serial:")) return undefined;
  const match = /^serial:(\/[^@]+)(?:@(\d{3,7}))?$/.exec(text);
  if (match === null) {
    throw new ConfigError(
      "SENSOR_UNKNOWN",
      `sensor "${text}" is no serial device. Write serial:/dev/ttyAMA0 or serial:/dev/ttyUSB0@115200.`,
    );
  }
  return { path: match[1]!, baud: Number(match[2] ?? DEFAULT_BAUD) };
}

/** Reads link frames from a serial device (or a named pipe). A missing device is retried every five seconds. */
export function openSerialSensor(
  { path, baud }: SerialSpec,
  declared: { readonly rateHz: number; readonly channels: number },
  { clock, tell }: { readonly clock: Clock; readonly tell: (text: string) => void },
): SerialSensor {
  const queue = new FrameQueue(declared.channels);
  const decoder = createLinkDecoder({ onFrame: (frame) => queue.push(frame) });
  let stream: Socket | undefined;
  let isClosed = false;
  let said = ""; // the last error, reported once
  let cancel: () => void = () => undefined;

  const trouble = (text: string) => {
    if (text !== said) tell(text);
    said = text;
  };
  const again = () => {
    stream = undefined;
    decoder.end();
    if (!isClosed) cancel = clock.after(RETRY_MILLIS, () => void open());
  };
  const open = async () => {
    try {
      stream = await openDevice(path, baud);
    } catch (error) {
      trouble(`no device at ${path}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      again();
      return;
    }
    if (isClosed) return void stream.destroy();
    trouble(`reading ${path}`);
    stream.on("data", (bytes: Buffer) => decoder.push(bytes));
    stream.on("error", (error) => trouble(`${path}: ${error.message}; trying again`));
    stream.on("close", again);
  };
  void open();

  return {
    ...declared,
    name: `serial:${path}`,
    queue,
    close() {
      isClosed = true;
      cancel();
      stream?.destroy();
      queue.close();
    },
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  };
}

/** Opened without waiting: a terminal as a tty (set raw, at the baud rate, by stty), anything else as a pipe. */
async function openDevice(path: string, baud: number): Promise<Socket> {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  try {
    if (!isatty(fd)) return new Socket({ fd, readable: true, writable: false });
    await promisify(execFile)("stty", ["-F", path, String(baud), "raw", "-echo", "clocal"]);
    return new ReadStream(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
