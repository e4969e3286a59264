import { createHash, randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { type DeviceFirmwareOptions, deviceFirmware } from "../../host/firmware/mcu/device-firmware.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of what tests of this run have built. */
    readonly builds: string;
  }
}

/** deviceFirmware, compiled once in a run of the tests for all that want the same: a build takes seconds, and its bytes are the same each time. */
export function firmwareOnce(options: DeviceFirmwareOptions): Uint8Array {
  const image = createHash("sha256").update(options.image).digest("hex");
  const key = createHash("sha256")
    .update(JSON.stringify({ ...options, image }))
    .digest("hex");
  const file = join(inject("builds"), `${key}.elf`);
  if (!existsSync(file)) {
    const part = `${file}.${randomUUID()}`; // another worker may build the same
    writeFileSync(part, deviceFirmware(options));
    renameSync(part, file);
  }
  return new Uint8Array(readFileSync(file));
}
