import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeFolders } from "../core/system/folder.ts";
import { packageRoot } from "../core/system/package-root.ts";
import { writeWhole } from "../core/system/private-file.ts";

/** Where devices knock, where workers, operators and readers do, and where readers with a password do. */
export interface BrokerPorts {
  readonly devicesPort: number; // default 8883
  readonly cloudPort: number; // default 8884
  readonly readersPort: number; // default 8885
  /** Default 0.0.0.0. */
  readonly bindAddress: string;
}

const PASSWORDS = "passwords"; // mosquitto wants the file, empty or not
const DEFAULT_PORTS: BrokerPorts = { devicesPort: 8883, cloudPort: 8884, readersPort: 8885, bindAddress: "0.0.0.0" };

/** Fills the shipped templates for mosquitto in; returns the names of the files that it wrote. */
export function writeMosquittoConfig(
  folder: string,
  site: string,
  discoveryPrefix: string, // of Home Assistant
  ports: BrokerPorts = DEFAULT_PORTS,
): string[] {
  const values: Readonly<Record<string, string>> = {
    site,
    prefix: discoveryPrefix,
    folder: resolve(folder),
    devicesPort: String(ports.devicesPort),
    cloudPort: String(ports.cloudPort),
    readersPort: String(ports.readersPort),
    bindAddress: ports.bindAddress,
  };
  makeFolders(join(folder, "data"));
  const names = ["mosquitto.conf", "acl"];
  for (const name of names) {
    const template = readFileSync(join(packageRoot(), "host/mqtt/brokers/mosquitto", name), "utf8");
    const filled = template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
    writeWhole(join(folder, name), filled);
  }
  writeWhole(join(folder, PASSWORDS), "", { isPrivate: true });
  return [...names, PASSWORDS];
}
