import { execFile } from "node:child_process";
import { plainText } from "../core/system/plain-text.ts";

/** Notifications to systemd. Without systemd (no NOTIFY_SOCKET) every call does nothing. */
export interface ServiceManager {
  /** Watchdog period of systemd, milliseconds; undefined: no watchdog. */
  readonly watchdogMillis: number | undefined;
  ready(status: string): void;
  status(text: string): void;
  alive(): void;
  stopping(): void;
}

/** Runs `systemd-notify` with these arguments; a failure is reported, not thrown. */
export type Notify = (args: readonly string[]) => void;

/**
 * Sends sd_notify(3) messages by systemd-notify(1): Node has no unix datagram sockets, and every systemd ships the program.
 * The unit must set NotifyAccess=all, because the program is a child of the service.
 */
export function createServiceManager(
  env: Readonly<Record<string, string | undefined>>,
  onFailure: (text: string) => void,
  notify: Notify = systemdNotify(onFailure),
): ServiceManager {
  const send: Notify = env.NOTIFY_SOCKET === undefined ? () => undefined : notify;
  const micros = Number(env.WATCHDOG_USEC);
  const hasWatchdog = Number.isFinite(micros) && micros > 0;
  return {
    watchdogMillis: hasWatchdog ? micros / 1000 : undefined,
    ready: (status) => send(["--ready", `--status=${plainText(status)}`]),
    status: (text) => send([`--status=${plainText(text)}`]),
    alive: () => send(["WATCHDOG=1"]),
    stopping: () => send(["STOPPING=1"]),
  };
}

/** Timeout of one message to systemd. */
const NOTIFY_TIMEOUT_MILLIS = 10_000;

function systemdNotify(onFailure: (text: string) => void): Notify {
  return (args) => {
    execFile("systemd-notify", [...args], { timeout: NOTIFY_TIMEOUT_MILLIS }, (error) => {
      if (error !== null) onFailure(`systemd-notify ${args.join(" ")}: ${error.message}`);
    });
  };
}
