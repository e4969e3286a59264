import type { AddressInfo, Server } from "node:net";

/** Where a server listens. */
export interface ListenAddress {
  /** Default 127.0.0.1: what a server says stays on the machine unless told otherwise. */
  readonly host: string;
  readonly port: number; // 0 = any free one
}

/** Reads `[host:]port`; undefined if it is neither. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) return undefined;
  return { host: match[1]?.replace(/^\[|\]$/g, "") ?? "127.0.0.1", port };
}

/** A host as it stands in a URL: an IPv6 address in brackets. */
export function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Starts a server at an address and returns its port. Rejects with the system's error if it cannot. */
export async function listenAt(server: Server, { host, port }: ListenAddress): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
