import type { KeyObject } from "node:crypto";
import { ConfigError } from "../../core/system/errors.ts";
import { type Command, type CommandHead, MAX_COMMAND_BYTES, parseCommand } from "./command.ts";
import type { CommandRefusal } from "./command-report.ts";
import type { CommandStore } from "./command-store.ts";
import { highestCounter } from "./counter-range.ts";
import { openEnvelope } from "./signed-envelope.ts";

export type GuardedCommand =
  | { readonly ok: true; readonly command: Command }
  | {
      readonly ok: false;
      readonly refusal: CommandRefusal;
      readonly reason: string;
      /** Of a command that the operator did sign for this node. */
      readonly counter?: number;
    };

export interface CommandGuardOptions {
  readonly site: string;
  readonly node: string;
  readonly key: KeyObject; // public
  readonly store: CommandStore;
  readonly wall: () => number;
}

export type CommandCounts = Readonly<Record<CommandRefusal | "obeyed", number>>;

/**
 * Lets each of the operator's commands through once. The counter is on the disk before the command is: after a crash in between it is
 * lost, never done twice; the operator sees no report and sends another.
 */
export interface CommandGuard {
  admit(verb: string, bytes: Uint8Array): GuardedCommand;
}

export function createCommandGuard(options: CommandGuardOptions): CommandGuard {
  const { site, node, key, store } = options;
  const isOurs = (head: CommandHead) => head.site === site && head.node === node;
  return {
    admit(verb, bytes) {
      const opened = openEnvelope("command", bytes, key, MAX_COMMAND_BYTES);
      if (!opened.ok) return refuse(opened.isAuthentic ? "malformed" : "unsigned", opened.reason);
      const parsed = parseCommand(opened.body);
      if (!parsed.ok) return refuse("malformed", parsed.reason, parsed.head && isOurs(parsed.head) ? parsed.head.counter : undefined);
      const { command } = parsed;
      const { counter } = command;
      const last = store.state.counter;
      if (!isOurs(command)) return refuse("wrong-node", `it is for ${command.site}/${command.node}, this is ${site}/${node}`);
      if (command.verb !== verb) return refuse("wrong-verb", `it says ${command.verb} and came on ${verb.slice(0, 32)}`);
      if (counter === last) return refuse("replayed", `counter ${counter} was used already`, counter);
      if (counter < last) return refuse("older", `counter ${counter} is below ${last}`, counter);
      const highest = highestCounter(options.wall(), last);
      if (counter > highest)
        return refuse("ahead", `counter ${counter} is far ahead of this node's clock, which allows ${highest}: set both clocks`, counter);
      if ((command.notAfterWallMillis ?? Number.POSITIVE_INFINITY) < options.wall()) return refuse("late", "its time is over", counter);
      try {
        store.commit({ ...store.state, counter });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return refuse("not-stored", error.message, counter);
      }
      return { ok: true, command };
    },
  };
}

function refuse(refusal: CommandRefusal, reason: string, counter?: number): GuardedCommand {
  return { ok: false, refusal, reason, ...(counter === undefined ? {} : { counter }) };
}
