import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { FirmwareError } from "../../../core/system/errors.ts";
import { toolMissing } from "../../c/tools.ts";
import type { EmulatedBoard } from "./emulated-board.ts";

/** A machine with the link on its stdin and stdout. */
export interface QemuMachine {
  readonly machine: string;
  readonly serial: number;
  readonly arguments: readonly string[];
}

export interface QemuOptions extends QemuMachine {
  /** Longest silence before a read gives up, in milliseconds. */
  readonly silenceMillis: number;
}

/** Arguments of qemu-system-arm for a firmware file. */
export function qemuArguments(elfPath: string, { machine, serial, arguments: more }: QemuMachine): string[] {
  const ports = [...Array<string>(serial).fill("null"), "stdio"].flatMap((device) => ["-serial", device]);
  return ["-M", machine, "-display", "none", "-monitor", "none", ...ports, ...more, "-kernel", elfPath];
}

/** Starts QEMU with one instruction a nanosecond of virtual time (-icount shift=0): a timer of the machine counts instructions. */
export function startQemu(elf: Uint8Array, options: QemuOptions): EmulatedBoard {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-qemu-"));
  const file = join(folder, "firmware.elf");
  writeFileSync(file, elf);
  const args = [...qemuArguments(file, options), "-icount", "shift=0"];
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn("qemu-system-arm", args, { stdio: ["pipe", "pipe", "pipe"] });
  let pending = new Uint8Array(0);
  let complaint = "";
  let failure: Error | undefined;
  let wake = () => {};
  child.stdout.on("data", (chunk: Buffer) => {
    const next = new Uint8Array(pending.length + chunk.length);
    next.set(pending);
    next.set(chunk, pending.length);
    pending = next;
    wake();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString("utf8")}`.slice(-1000);
  });
  child.stdin.on("error", () => {}); // it has ended: `exit` says why
  child.on("error", (cause) => {
    failure = toolMissing("qemu-system-arm", "it emulates boards", cause);
    wake();
  });
  const ended = new Promise<void>((resolve) => {
    child.on("close", (code) => {
      failure ??= new FirmwareError("EMULATOR_ENDED", `QEMU ended with ${code}: ${complaint.trim() || "no output"}.`);
      rmSync(folder, { recursive: true, force: true });
      wake();
      resolve();
    });
  });
  return {
    emulator: `qemu ${options.machine}`,
    unit: "instructions",
    get waiting() {
      return pending.length;
    },
    write: (bytes) => void child.stdin.write(bytes),
    async read(bytes) {
      while (pending.length < bytes) {
        if (failure !== undefined) throw failure;
        const before = pending.length;
        const isSilent = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(true), options.silenceMillis);
          wake = () => {
            clearTimeout(timer);
            resolve(false);
          };
        });
        if (isSilent && pending.length === before) {
          throw new FirmwareError(
            "EMULATOR_SILENT",
            `the emulated board sent nothing for ${options.silenceMillis} ms (${pending.length} of ${bytes} B came). ${complaint.trim()}`,
          );
        }
      }
      const taken = pending.slice(0, bytes);
      pending = pending.slice(bytes);
      return taken;
    },
    takeBusyCycles: () => undefined,
    async stop() {
      if (child.pid !== undefined && child.exitCode === null) child.kill("SIGKILL");
      if (child.pid !== undefined) await ended;
    },
  };
}
