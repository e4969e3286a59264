import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseSensorSpec } from "../agent/sensors/spec.ts";
import { ConfigError } from "../core/system/errors.ts";
import { DEFAULT_BAUD, type LinkAddress } from "../link/link-address.ts";

/** Where a device, or several, are found. */
export type DeviceMatch =
  | { readonly kind: "address"; readonly address: LinkAddress }
  | { readonly kind: "glob"; readonly path: string; readonly baud: number }
  | { readonly kind: "usb"; readonly vendor: string; readonly product: string; readonly serial: string | undefined }
  /** A recording or a synthetic wearer: no device. */
  | { readonly kind: "frames"; readonly sensor: string };

/** A port that is there. `id` is what tells it from the match's others: what * stands for, or the USB serial number. */
export interface FoundPort {
  readonly id: string;
  readonly address: LinkAddress;
}

/** Parses `match` of a device. Throws SENSOR_UNKNOWN. */
export function parseMatch(text: string): DeviceMatch {
  const usb = /^usb:([0-9a-f]{4}):([0-9a-f]{4})(?::([^/:]{1,128}))?$/i.exec(text);
  if (usb !== null) return { kind: "usb", vendor: usb[1]!.toLowerCase(), product: usb[2]!.toLowerCase(), serial: usb[3] };
  if (text.startsWith("usb:"))
    throw new ConfigError("SENSOR_UNKNOWN", `"${text}" is no USB device. Write usb:VID:PID or usb:VID:PID:SERIAL, as in usb:2e8a:000a.`);
  const glob = /^serial:(\/[^@*]*\/[^@*/]*\*[^@*/]*)(?:@(\d{3,7}))?$/.exec(text);
  if (glob !== null) return { kind: "glob", path: glob[1]!, baud: Number(glob[2] ?? DEFAULT_BAUD) };
  if (text.startsWith("serial:") && text.includes("*"))
    throw new ConfigError("SENSOR_UNKNOWN", `"${text}" has a * that is not in the name of a port. Write serial:/dev/ttyACM*, with one *.`);
  const spec = parseSensorSpec(text);
  return spec.kind === "serial" || spec.kind === "tcp" ? { kind: "address", address: spec } : { kind: "frames", sensor: text };
}

/** Whether a match may find several devices. */
export function findsSeveral({ kind }: DeviceMatch): boolean {
  return kind === "glob" || kind === "usb";
}

/** The ports of a match that may be opened now. A fixed address is always among them: whether it is there shows when it is opened. */
export function findPorts(match: Exclude<DeviceMatch, { kind: "frames" }>, sysFolder = "/sys/class/tty"): FoundPort[] {
  switch (match.kind) {
    case "address":
      return [{ id: "", address: match.address }];
    case "glob": {
      const [before, after] = basename(match.path).split("*") as [string, string];
      return list(dirname(match.path))
        .filter((name) => name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after))
        .map((name) => ({
          id: name.slice(before.length, name.length - after.length),
          address: { kind: "serial", path: join(dirname(match.path), name), baud: match.baud },
        }));
    }
    case "usb":
      return list(sysFolder).flatMap((port) => usbPort(match, sysFolder, port));
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // no such folder now
  }
}

/** The port if it is of that USB device: its interface's parent names vendor, product and serial number. */
function usbPort({ vendor, product, serial }: DeviceMatch & { kind: "usb" }, folder: string, port: string): FoundPort[] {
  try {
    let at = realpathSync(join(folder, port, "device"));
    for (let up = 0; up < 3; up++, at = dirname(at)) {
      const read = (file: string) => readFileSync(join(at, file), "utf8").trim();
      let isDevice = false;
      try {
        isDevice = read("idVendor").toLowerCase() === vendor && read("idProduct").toLowerCase() === product;
      } catch {
        continue; // an interface, or a hub's port
      }
      const id = list(at).includes("serial") ? read("serial") : port;
      if (!isDevice || (serial !== undefined && serial !== id)) return [];
      return [{ id, address: { kind: "serial", path: join("/dev", port), baud: DEFAULT_BAUD } }];
    }
  } catch {
    return []; // a port without a device behind it, or one that has just gone
  }
  return [];
}
