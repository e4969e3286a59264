import { type ChildProcess, spawn } from "node:child_process";
import { LinkError } from "../../core/system/errors.ts";
import { deviceWasmPath } from "./device-module.ts";

/**
 * A running device, wherever it runs: under node:wasi here, in an emulator, behind a serial port. Bytes of the link go in and come out;
 * its store outlives it.
 */
export interface DeviceTransport {
  write(bytes: Uint8Array): void;
  /** The next bytes that came, at least one; none once the device has ended. */
  read(): Promise<Uint8Array>;
  /** No more bytes will come: a device that reads a recording ends. */
  end(): void;
  /** Power off, at once. */
  kill(): Promise<void>;
  /** How it ended: its exit code, undefined when it was killed. */
  readonly ended: Promise<number | undefined>;
}

// Node 20 cannot run .ts, and a bundle has one file: the child's program is this text.
const CHILD = `
import { WASI } from "node:wasi";
import { readFileSync } from "node:fs";
const [wasm, folder, memoryBytes, ...factory] = process.argv.slice(1);
const wasi = new WASI({ version: "preview1", preopens: { "/": folder }, returnOnExit: true });
const { instance } = await WebAssembly.instantiate(readFileSync(wasm), wasi.getImportObject());
const { memory, setMemory, setImage } = instance.exports;
let free = Number(memoryBytes);
if (free > 0) setMemory(free);
for (const [agent, path] of factory.entries()) {
  const image = readFileSync(path);
  free = Math.ceil(free / 16) * 16;
  const missing = free + image.length - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  new Uint8Array(memory.buffer).set(image, free);
  setImage(agent, free, image.length);
  free += image.length;
}
process.exitCode = wasi.start(instance);
`;

/** Default memory below factory images, bytes. */
const FACTORY_MEMORY_BYTES = 262_144;

export interface StartOptions {
  /** Files of images that the firmware carries itself, by agent. */
  readonly factory?: readonly string[];
  /** Bytes of memory that there are. Default: memory grows; 256 KB with factory images. */
  readonly memoryBytes?: number;
}

/** Starts device.wasm under node:wasi in a separate process. `folder` holds the file `store`; without it the device keeps nothing. */
export function startDevice(folder: string, { factory = [], memoryBytes }: StartOptions = {}): DeviceTransport {
  const memory = memoryBytes ?? (factory.length > 0 ? FACTORY_MEMORY_BYTES : 0);
  const args = [deviceWasmPath(), folder, String(memory), ...factory];
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", CHILD, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  return childTransport(child);
}

/** A transport over a child's stdin and stdout. */
export function childTransport(child: ChildProcess): DeviceTransport {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null)
    throw new LinkError("DEVICE_PIPES", "the device's process has no pipes. Spawn it with stdio pipe.");
  const arrived: Uint8Array[] = [];
  let hasEnded = false;
  let wakeReader: (() => void) | undefined;
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      hasEnded = true;
      wakeReader?.();
      resolve(code ?? undefined);
    });
  });
  stdin.on("error", () => {}); // a device that ended reads no more; see `ended`
  stdout.on("data", (bytes: Uint8Array) => {
    arrived.push(bytes);
    wakeReader?.();
  });
  return {
    ended,
    write: (bytes) => {
      if (!hasEnded) stdin.write(bytes);
    },
    async read() {
      while (arrived.length === 0 && !hasEnded) {
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
      return Buffer.concat(arrived.splice(0));
    },
    end: () => stdin.end(),
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
