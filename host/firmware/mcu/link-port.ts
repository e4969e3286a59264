import { constants, createReadStream, openSync, statSync } from "node:fs";
import { connect, Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { LinkError } from "../../core/system/errors.ts";

/** The bytes of a link, from wherever they come. Nothing can be written to a file. */
export interface LinkPort {
  readonly bytes: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): void;
  close(): void;
}

/**
 * Opens a link: a serial port (`/dev/ttyACM0`, `COM3`), `tcp:host:port` as emulators offer it, or a file of recorded bytes. Throws LinkError.
 */
export async function openLinkPort(source: string, baud: number): Promise<LinkPort> {
  const tcp = /^tcp:(.+):(\d+)$/.exec(source);
  if (tcp !== null) return openTcp(tcp[1]!, Number(tcp[2]));
  let kind: "file" | "port" | "pipe" | "folder";
  try {
    const stat = statSync(source);
    kind = stat.isFIFO() ? "pipe" : stat.isDirectory() ? "folder" : stat.isCharacterDevice() ? "port" : "file";
  } catch (cause) {
    if (!/^COM\d+$/i.test(source)) {
      throw new LinkError("PORT_MISSING", `no ${source}: give a serial port, tcp:host:port or a file of link bytes.`, { cause });
    }
    kind = "port";
  }
  if (kind === "folder")
    throw new LinkError("PORT_MISSING", `${source} is a folder: give a serial port, tcp:host:port or a file of link bytes.`);
  if (kind === "port") return openSerial(source, baud);
  return readOnly(kind === "pipe" ? openPipe(source) : createReadStream(source), source);
}

/** A pipe that opens at once, without a writer too: one that waited in open() would end at no signal. */
function openPipe(path: string): Readable {
  return new Socket({ fd: openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)), readable: true, writable: false });
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

async function openTcp(host: string, port: number): Promise<LinkPort> {
  const socket = connect({ host, port, noDelay: true });
  await opened(socket, "connect", `tcp:${host}:${port}`);
  return twoWay(socket);
}

async function openSerial(path: string, baudRate: number): Promise<LinkPort> {
  let serial: typeof import("serialport");
  try {
    serial = await import("serialport");
  } catch (cause) {
    throw new LinkError("NO_SERIALPORT", "serial ports need the package serialport, which is not installed: run npm install serialport.", {
      cause,
    });
  }
  const port = new serial.SerialPort({ path, baudRate });
  await opened(port, "open", path);
  // destroy() alone leaves the descriptor open, and the process waiting for it.
  return { ...twoWay(port), close: () => void (port.isOpen && port.close()) };
}

function opened(stream: Duplex, event: string, source: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) =>
      reject(
        new LinkError("PORT_CLOSED", `cannot open ${source}: ${cause.message}. Check that it is there, free and yours to use.`, { cause }),
      );
    stream.once("error", onError);
    stream.once(event, () => {
      stream.off("error", onError);
      resolve();
    });
  });
}

function twoWay(stream: Duplex): LinkPort {
  return { bytes: stream, write: (bytes) => void stream.write(bytes), close: () => void stream.destroy() };
}
