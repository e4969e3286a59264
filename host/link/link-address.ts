import { ConfigError } from "../core/system/errors.ts";

/** Where the bytes of a link come from. */
export type LinkAddress =
  | { readonly kind: "serial"; readonly path: string; readonly baud: number }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

export const DEFAULT_BAUD = 115_200;

/** Parses `serial:PATH[@BAUD]` (`serial:COM3`, too) and `tcp:HOST:PORT`; undefined for what begins otherwise. Throws SENSOR_UNKNOWN. */
export function parseLinkAddress(text: string): LinkAddress | undefined {
  if (text.startsWith("serial:")) {
    const match = /^serial:(\/[^@]+|COM\d+)(?:@(\d{3,7}))?$/i.exec(text);
    if (match === null)
      throw new ConfigError("SENSOR_UNKNOWN", `"${text}" is no serial port. Write serial:/dev/ttyACM0 or serial:/dev/ttyUSB0@115200.`);
    return { kind: "serial", path: match[1]!, baud: Number(match[2] ?? DEFAULT_BAUD) };
  }
  if (!text.startsWith("tcp:")) return undefined;
  const match = /^tcp:(.+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_535)
    throw new ConfigError("SENSOR_UNKNOWN", `"${text}" is no TCP address. Write tcp:HOST:PORT, with a port from 1 to 65535.`);
  return { kind: "tcp", host: match[1]!.replace(/^\[(.*)\]$/, "$1"), port };
}

/** As it is written on the command line, without the default baud rate. */
export function linkAddressText(address: LinkAddress): string {
  if (address.kind === "tcp") return `tcp:${address.host}:${address.port}`;
  return `serial:${address.path}${address.baud === DEFAULT_BAUD ? "" : `@${address.baud}`}`;
}
