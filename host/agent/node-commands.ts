import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { ModelImage } from "../core/image/image-types.ts";
import type { Session, SetPoint } from "../core/session/session-types.ts";
import type { Clock } from "../core/system/clock.ts";
import { writeWhole } from "../core/system/private-file.ts";
import type { CommandPayload } from "../mqtt/commands/command.ts";
import type { CommandRefusal } from "../mqtt/commands/command-report.ts";
import { type CommandStore, openCommandStore } from "../mqtt/commands/command-store.ts";
import { parsePublicCommandKey } from "../security/command-key.ts";
import { type CommandInbox, createCommandInbox } from "./command-inbox.ts";
import type { Loop } from "./loop-types.ts";

/** Who may command a node, and where it stores its orders. */
export interface NodeCommandOptions {
  readonly key: KeyObject; // public
  readonly store: CommandStore;
  /** Where snapshots go. */
  readonly folder: string;
  readonly onReboot: () => void;
  readonly note: (line: string) => void;
  readonly onCommand?: (verb: string, outcome: "obeyed" | CommandRefusal) => void;
}

/**
 * What a node that has a command key obeys; opens its command counters in `folder`. Throws COMMAND_KEY_INVALID and COMMAND_STATE_INVALID.
 * A node of an earlier release that has neither a floor nor counters would accept commands of any age; reports that.
 */
export function openNodeCommands(
  node: { readonly node: string; readonly commandKey: string; readonly commandFloor?: number | undefined },
  folder: string,
  more: Pick<NodeCommandOptions, "onReboot" | "note"> & { readonly clock: Pick<Clock, "wall"> },
): NodeCommandOptions {
  const { clock, ...options } = more;
  const key = parsePublicCommandKey(node.commandKey);
  const store = openCommandStore(join(folder, `${node.node}.commands.json`), node.commandFloor);
  if (store.state.counter === 0)
    options.note(
      `COMMAND_FLOOR_MISSING: ${node.node} remembers no command in ${folder}, so it obeys old ones too. ` +
        `Add "commandFloor": ${Math.max(0, Math.floor(clock.wall()))} beside its commandKey.`,
    );
  return { ...options, key, folder, store };
}

/** Puts the operator's commands into effect on a running loop, the last ordered set-point first. */
export function nodeCommands(
  clock: Clock,
  node: { readonly site: string; readonly node: string; readonly agent: string },
  { loop, session, image }: { readonly loop: Loop; readonly session: Session; readonly image: Pick<ModelImage, "exits"> },
  options: NodeCommandOptions,
): CommandInbox {
  const { store, folder, note } = options;
  const standing = loop.order(partsOf(store.state.setPoint));
  if (standing !== undefined) note(`The set-point that was ordered last does not fit this model: ${standing}`);
  return createCommandInbox({
    ...node,
    key: options.key,
    store,
    clock,
    tell: (report) => loop.asker?.telemetry({ command: report }),
    onAnomaly: (error) => note(`${error.code}: ${error.message}`),
    onCommand: (verb, outcome) => {
      if (outcome === "obeyed") note(`Obeyed a command: ${verb}.`);
      options.onCommand?.(verb, outcome);
    },
    actions: {
      setPoint: (order) => loop.order(partsOf(order)) ?? setPointInForce(order, loop, image),
      snapshot() {
        const file = `${node.node}-${node.agent}.snapshot`;
        const bytes = session.snapshot();
        writeWhole(join(folder, file), bytes, { isPrivate: true });
        return { file, bytes: bytes.length };
      },
      reboot() {
        options.onReboot();
        return {};
      },
    },
  });
}

/** What the next decision goes by: the governor may hold back further than was ordered, and a certified threshold is never gone below. */
function setPointInForce(order: CommandPayload<"set-point">, loop: Loop, { exits }: Pick<ModelImage, "exits">) {
  const { maxExit, hopPatches, askIntervalHops, limitReason, thresholds } = loop.setPoint();
  return {
    ...{ maxExit, hopPatches, askIntervalHops, limitReason },
    asks: order.askAllowed === false ? "off" : "on",
    thresholds: exits.map((exit, k) => Math.max(exit.threshold, thresholds[k] ?? 0)),
  };
}

function partsOf(order: CommandPayload<"set-point">): Partial<SetPoint> {
  return Object.fromEntries(Object.entries(order).filter(([, value]) => value !== undefined));
}
