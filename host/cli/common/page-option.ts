import { type Command, InvalidArgumentError, Option } from "commander";
import { type ListenAddress, parseListenAddress } from "../../core/system/listen-address.ts";
import type { Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import type { Dashboard, DashboardTools } from "../../web/dashboard.ts";

/** `--http` and `--no-http`: false is the latter; undefined: neither was given. */
export interface PageOptions {
  readonly http?: ListenAddress | false;
}

/** Adds `--http`; with `isDefault` also `--no-http`. */
export function withPage(command: Command, isDefault = false): Command {
  const when = isDefault ? "default: a free port, with a live view; not with --headless or --json" : "default: no page";
  command.addOption(
    new Option(
      "--http <[host:]port>",
      `show the run as a page on this port, 0 = any free one; without a host on 127.0.0.1 (${when})`,
    ).argParser(readAddress),
  );
  return isDefault ? command.option("--no-http", "show no page") : command;
}

function readAddress(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address === undefined) throw new InvalidArgumentError("Give a port or host:port, e.g. 8080 or 0.0.0.0:8080.");
  return address;
}

/** Opens the page if it is wanted, and says where it is. */
export async function openPage(
  io: CliIo,
  out: Output,
  address: ListenAddress | undefined,
  options: { readonly speed: number; readonly tools?: DashboardTools },
): Promise<Dashboard | undefined> {
  if (address === undefined) return undefined;
  const { openDashboard } = await import("../../web/dashboard.ts");
  const page = await openDashboard({ clock: io.clock, address, ...options });
  out.note(`Watch it at ${page.url}`);
  return page;
}
