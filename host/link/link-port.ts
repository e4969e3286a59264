import { execFile } from "node:child_process";
import { closeSync, constants, createReadStream, openSync, statSync } from "node:fs";
import { connect, Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { isatty, ReadStream } from "node:tty";
import { promisify } from "node:util";
import { LinkError } from "../core/system/errors.ts";
import { type LinkAddress, linkAddressText } from "./link-address.ts";

/** The bytes of a link, from wherever they come. Nothing can be written to a file or a pipe. */
export interface LinkPort {
  readonly bytes: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): void;
  close(): void;
}

/** How long connecting over TCP may take. */
const CONNECT_TIMEOUT_MILLIS = 10_000;

/**
 * Opens a link to a device: a serial port (or a named pipe in its place), or TCP as emulators and network bridges offer it. On Linux
 * stty sets the terminal; elsewhere the package serialport opens it. Throws LinkError.
 */
export async function openLinkPort(address: LinkAddress): Promise<LinkPort> {
  const name = linkAddressText(address);
  if (address.kind === "tcp") {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    socket.setTimeout(CONNECT_TIMEOUT_MILLIS, () => socket.destroy(new Error("no answer")));
    await opened(socket, "connect", name);
    socket.setTimeout(0);
    return twoWay(socket);
  }
  const { path, baud } = address;
  const isWindowsName = /^COM\d+$/i.test(path);
  const stat = isWindowsName ? undefined : statOf(path, name);
  if (stat?.isDirectory()) throw new LinkError("PORT_MISSING", `${path} is a folder: give a serial port.`);
  if (stat?.isFIFO()) return readOnly(openPipe(path, constants.O_RDWR), path);
  if (stat !== undefined && !stat.isCharacterDevice())
    throw new LinkError("PORT_MISSING", `${path} is no serial port. A recording is replay:${path}.`);
  return process.platform === "linux" ? openTerminal(path, baud, name) : openBySerialport(path, baud, name);
}

/** A file of recorded link bytes. Throws LinkError for a folder and a missing file. */
export function openLinkFile(path: string): LinkPort {
  const stat = statOf(path, path);
  if (stat.isDirectory())
    throw new LinkError("PORT_MISSING", `${path} is a folder: give a serial port, tcp:host:port or a file of link bytes.`);
  return readOnly(stat.isFIFO() ? openPipe(path, constants.O_RDONLY) : createReadStream(path), path);
}

function statOf(path: string, name: string) {
  try {
    return statSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unreadable";
    throw new LinkError("PORT_MISSING", `no ${name} (${code}): give a serial port, tcp:host:port or a file of link bytes.`, { cause });
  }
}

/** A pipe that opens at once, without a writer too: one that waited in open() would end at no signal. Opened to read and write it never ends. */
function openPipe(path: string, flags: number): Readable {
  return new Socket({ fd: openSync(path, flags | (constants.O_NONBLOCK ?? 0)), readable: true, writable: false });
}

function readOnly(stream: Readable, source: string): LinkPort {
  stream.on("error", () => {}); // readers get the error; a stream closed before reading ignores it
  return {
    bytes: stream,
    write() {
      throw new LinkError("PORT_READ_ONLY", `${source} is a recording: nothing can be sent to it. Give a serial port or tcp:host:port.`);
    },
    close: () => stream.destroy(),
  };
}

/** Opened without waiting, set raw and to the baud rate. */
async function openTerminal(path: string, baud: number, name: string): Promise<LinkPort> {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    if (!isatty(fd)) throw new Error("it is no terminal");
    await promisify(execFile)("stty", ["-F", path, String(baud), "raw", "-echo", "clocal"]);
  } catch (cause) {
    if (fd !== undefined) closeSync(fd);
    throw cannotOpen(name, cause as Error);
  }
  return twoWay(new ReadStream(fd));
}

async function openBySerialport(path: string, baudRate: number, name: string): Promise<LinkPort> {
  let serial: typeof import("serialport");
  try {
    serial = await import("serialport");
  } catch (cause) {
    throw new LinkError("NO_SERIALPORT", "serial ports need the package serialport, which is not installed: run npm install serialport.", {
      cause,
    });
  }
  const port = new serial.SerialPort({ path, baudRate });
  await opened(port, "open", name);
  // destroy() alone leaves the descriptor open, and the process waiting for it.
  return { ...twoWay(port), close: () => void (port.isOpen && port.close()) };
}

function opened(stream: Duplex, event: string, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) => reject(cannotOpen(name, cause));
    stream.once("error", onError);
    stream.once(event, () => {
      stream.off("error", onError);
      resolve();
    });
  });
}

function cannotOpen(name: string, cause: Error): LinkError {
  return new LinkError("PORT_CLOSED", `cannot open ${name}: ${cause.message}. Check that it is there, free and yours to use.`, { cause });
}

function twoWay(stream: Duplex): LinkPort {
  stream.on("error", () => {}); // readers get the error
  return { bytes: stream, write: (bytes) => void stream.write(bytes), close: () => void stream.destroy() };
}
