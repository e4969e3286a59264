import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { type LinkDevice, openLinkDevice } from "./link-device.ts";

/** A device that decides itself, at the end of a serial port. */
export interface PtyDevice {
  readonly device: LinkDevice;
  /** Takes the port away, as pulling the cable does. */
  unplug(): Promise<void>;
}

/** Opens a device whose port lies at `path`; needs python3. */
export async function openPtyDevice(imageHash: string, path: string): Promise<PtyDevice> {
  const device = await openLinkDevice(imageHash);
  const bridge = spawn("python3", [join(packageRoot(), "test/support/pty-bridge.py"), String(device.port), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(bridge, "exit");
  await Promise.race([once(bridge.stdout, "data"), ended]);
  return {
    device,
    async unplug() {
      bridge.kill("SIGTERM");
      await ended;
      await device.close();
    },
  };
}
