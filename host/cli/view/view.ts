import type { Loop } from "../../agent/loop-types.ts";
import type { View, ViewInfo } from "../../agent/run-view.ts";
import type { Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import type { GovernorStatus } from "../../policy/govern/governor-types.ts";
import type { Log } from "../../telemetry/log.ts";
import { createJsonLogView } from "./json-log-view.ts";
import { createLiveView } from "./live-view.ts";
import { createLogView } from "./log-view.ts";

export interface ViewOptions {
  readonly isHeadless: boolean;
  /** Logs every decision with its reason. */
  readonly isVerbose: boolean;
  /** JSON lines instead of either. */
  readonly log?: Log;
}

/** The live screen in a terminal; a line for each decision worth telling elsewhere, and with --headless or --json. */
export function createView(
  io: CliIo,
  out: Output,
  info: ViewInfo,
  loop: () => Loop | undefined,
  show: ViewOptions,
  power?: () => GovernorStatus,
): View {
  if (show.log !== undefined) return createJsonLogView(show.log);
  if (io.terminal === undefined || show.isHeadless || show.isVerbose || out.isJson) return createLogView(out, info, show.isVerbose);
  return createLiveView(io.terminal, io, info, loop, power);
}
