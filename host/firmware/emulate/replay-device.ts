import { deviceModule } from "./device-module.ts";

export interface ReplayOptions {
  /** What fd 0 gives, to its end. */
  readonly stream: Uint8Array;
  /** The file `store`; changed in place. Left out: the device has none. */
  readonly store?: Uint8Array;
  /** Images that the firmware carries itself, by agent. */
  readonly factory?: readonly Uint8Array[];
  /** Bytes of memory that there are; the store and factory images are then mapped beyond them, as flash is. Default: memory grows. */
  readonly memoryBytes?: number;
  /** Cuts the power after this many bytes written to the store. */
  readonly powerBytes?: number;
  /** Flash sector size of the store, bytes: a write at a sector's start erases it; other writes only clear bits. */
  readonly flashSectorBytes?: number;
}

export interface Replay {
  readonly output: Uint8Array;
  readonly exitCode: number;
  /** The power went in the middle of a write. */
  readonly isCut: boolean;
  readonly memoryUsedBytes: number;
  readonly isAsleep: boolean;
}

class PowerCut extends Error {}
class Exit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

interface DeviceExports {
  readonly memory: WebAssembly.Memory;
  _start(): void;
  runs(word: number): number;
  setImage(agent: number, address: number, bytes: number): void;
  setStore(address: number): void;
  setMemory(bytes: number): void;
  memoryUsedBytes(): number;
  isAsleep(): number;
}

const EBADF = 8;
const ENOENT = 44;
const PAGE_BYTES = 65536;
const STORE_FD = 4;
const DEFAULT_MEMORY_BYTES = 4 * PAGE_BYTES; // where factory images have to lie beyond it

/**
 * Runs device.wasm in this process over a recorded link stream: a WASI host of eight functions, as a board is. The same stream and store
 * give the same output, byte for byte.
 */
export function replayDevice(options: ReplayOptions): Replay {
  const { stream, store, factory = [], powerBytes = Number.POSITIVE_INFINITY, flashSectorBytes } = options;
  const memoryBytes = options.memoryBytes ?? (factory.length > 0 ? DEFAULT_MEMORY_BYTES : undefined);
  const output: Uint8Array[] = [];
  let read = 0;
  let written = 0;
  const bytes = () => new Uint8Array(device.memory.buffer);
  const words = () => new DataView(device.memory.buffer);
  const buffer = (iovs: number) => {
    const view = words();
    const at = view.getUint32(iovs, true);
    return bytes().subarray(at, at + view.getUint32(iovs + 4, true));
  };
  const done = (at: number, count: number) => {
    words().setUint32(at, count, true);
    return 0;
  };
  const wasi = {
    fd_read(fd: number, iovs: number, _count: number, at: number) {
      if (fd !== 0) return EBADF;
      const to = buffer(iovs);
      const some = stream.subarray(read, read + to.length);
      to.set(some);
      read += some.length;
      return done(at, some.length);
    },
    fd_write(fd: number, iovs: number, _count: number, at: number) {
      if (fd !== 1) return EBADF;
      output.push(buffer(iovs).slice());
      return done(at, output.at(-1)!.length);
    },
    path_open(_dir: number, _lookup: number, path: number, length: number, ...rest: unknown[]) {
      const isStore = Buffer.from(bytes().subarray(path, path + length)).toString() === "store";
      if (store === undefined || !isStore) return ENOENT;
      return done(rest.at(-1) as number, STORE_FD);
    },
    fd_pread(fd: number, iovs: number, _count: number, offset: bigint, at: number) {
      if (fd !== STORE_FD || store === undefined) return EBADF;
      const to = buffer(iovs);
      const some = store.subarray(Number(offset), Number(offset) + to.length);
      to.set(some);
      return done(at, some.length);
    },
    fd_pwrite(fd: number, iovs: number, _count: number, offset: bigint, at: number) {
      if (fd !== STORE_FD || store === undefined) return EBADF;
      const from = buffer(iovs);
      const first = Number(offset);
      const room = Math.min(from.length, store.length - first, powerBytes - written);
      if (flashSectorBytes !== undefined && first % flashSectorBytes === 0) store.fill(0xff, first, first + flashSectorBytes);
      for (let i = 0; i < room; i++) store[first + i] = flashSectorBytes === undefined ? from[i]! : store[first + i]! & from[i]!;
      if (memoryBytes !== undefined) bytes().set(store, storeAt); // mapped flash shows it
      written += room;
      if (room < from.length) throw new PowerCut("the power went");
      return done(at, room);
    },
    fd_sync: (fd: number) => (fd === STORE_FD ? 0 : EBADF),
    poll_oneoff: (_in: number, _out: number, _count: number, at: number) => done(at, 1),
    proc_exit(code: number) {
      throw new Exit(code);
    },
  };
  const instance = new WebAssembly.Instance(deviceModule(), { wasi_snapshot_preview1: wasi });
  const device = instance.exports as unknown as DeviceExports;

  let free = memoryBytes === undefined ? device.memory.buffer.byteLength : align(memoryBytes);
  const place = (data: Uint8Array) => {
    const at = free;
    free = align(free + data.length);
    const missing = free - device.memory.buffer.byteLength;
    if (missing > 0) device.memory.grow(Math.ceil(missing / PAGE_BYTES));
    bytes().set(data, at);
    return at;
  };
  let storeAt = 0;
  if (memoryBytes !== undefined) {
    device.setMemory(memoryBytes);
    if (store !== undefined) {
      storeAt = place(store);
      device.setStore(storeAt);
    }
  }
  for (const [agent, image] of factory.entries()) device.setImage(agent, place(image), image.length);

  let exitCode = 0;
  let isCut = false;
  try {
    device._start();
  } catch (stop) {
    if (stop instanceof PowerCut) isCut = true;
    else if (stop instanceof Exit) exitCode = stop.exitCode;
    else throw stop;
  }
  return {
    output: Buffer.concat(output),
    exitCode,
    isCut,
    memoryUsedBytes: device.memoryUsedBytes(),
    isAsleep: device.isAsleep() === 1,
  };
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
