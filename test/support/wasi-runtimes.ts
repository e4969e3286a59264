import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI as NodeWasi } from "node:wasi";
import { ConsoleStdout, Directory, File, type Inode, OpenFile, PreopenDirectory, WASI as ShimWasi } from "@bjorn3/browser_wasi_shim";
import { deviceModule } from "../../host/firmware/emulate/device-module.ts";
import { replayDevice } from "../../host/firmware/emulate/replay-device.ts";

// device.wasm from its first byte to the end of a link stream, under each WASI runtime that a test compares.

/** What a run leaves behind. `store` is what the file holds then. */
export interface WasiRun {
  readonly exitCode: number;
  readonly output: Uint8Array;
  readonly store: Uint8Array;
}

export type Imports = Record<string, (...args: never[]) => unknown>;

/** The eight functions that a board has. */
export function runReplay(stream: Uint8Array, fresh: Uint8Array): WasiRun {
  const store = fresh.slice();
  const { exitCode, output } = replayDevice({ stream, store });
  return { exitCode, output, store };
}

/** node:wasi, over files of the machine. */
export function runNodeWasi(stream: Uint8Array, fresh: Uint8Array): WasiRun {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-wasi-"));
  const path = (name: string) => join(folder, name);
  try {
    writeFileSync(path("store"), fresh);
    writeFileSync(path("in"), stream);
    const stdin = openSync(path("in"), "r");
    const stdout = openSync(path("out"), "w");
    try {
      const wasi = new NodeWasi({ version: "preview1", stdin, stdout, preopens: { "/": folder }, returnOnExit: true });
      const instance = new WebAssembly.Instance(deviceModule(), wasi.getImportObject() as Record<string, Imports>);
      const exitCode = wasi.start(instance);
      return { exitCode, output: readFileSync(path("out")), store: readFileSync(path("store")) };
    } finally {
      closeSync(stdin);
      closeSync(stdout);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface ShimOptions {
  /** Preopened folders before the one with the store. Default 0. */
  readonly emptyFolders?: number;
  /** Puts other functions in the place of some imports, as a runtime of another kind answers them. `memory` is the module's. */
  readonly adapt?: (imports: Imports, memory: () => DataView) => Imports;
}

/** @bjorn3/browser_wasi_shim, which browsers use: files in memory. No store at all: the folder is empty. */
export function runBrowserShim(stream: Uint8Array, fresh: Uint8Array | undefined, { emptyFolders = 0, adapt }: ShimOptions = {}): WasiRun {
  const store = new File(fresh?.slice() ?? new Uint8Array());
  const output: Uint8Array[] = [];
  const folder = (name: string, files: [string, Inode][]) => new PreopenDirectory(name, new Map(files));
  const out = new ConsoleStdout((bytes) => output.push(bytes.slice()));
  const wasi = new ShimWasi(
    [],
    [],
    [
      new OpenFile(new File(stream, { readonly: true })),
      out,
      out,
      ...Array.from({ length: emptyFolders }, (_, i) => folder(`/${i}`, [["other", new Directory(new Map())]])),
      folder("/", fresh === undefined ? [] : [["store", store]]),
    ],
    { debug: false },
  );
  const imports = wasi.wasiImport as Imports;
  const memory = () => new DataView((instance.exports.memory as WebAssembly.Memory).buffer);
  const instance: WebAssembly.Instance = new WebAssembly.Instance(deviceModule(), {
    wasi_snapshot_preview1: { ...imports, ...adapt?.(imports, memory) },
  });
  const exitCode = wasi.start(instance as Parameters<ShimWasi["start"]>[0]);
  return { exitCode, output: Buffer.concat(output), store: store.data };
}
