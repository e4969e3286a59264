import type { KeyObject } from "node:crypto";
import { ConfigError } from "../../core/errors.ts";
import { type Command, MAX_COMMAND_BYTES, parseCommand } from "./command.ts";
import type { CommandStore } from "./command-store.ts";
import { openEnvelope } from "./signed-envelope.ts";

/** Why a command was not obeyed; each is counted. */
export const COMMAND_REFUSALS = [
  "unsigned", // no envelope, altered, or another key's signature
  "malformed", // signed, and yet not a command that this version knows
  "wrong-node", // another node's or site's
  "wrong-verb", // sent on another verb's topic
  "late", // its time is over
  "replayed", // the last one again
  "older", // counter below the last
  "not-stored", // the disk did not take the counter: what cannot be remembered is not done
  "not-done", // the node could not do it
] as const;
export type CommandRefusal = (typeof COMMAND_REFUSALS)[number];

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
 * lost, never done twice; the operator sees no word of it and sends another.
 */
export interface CommandGuard {
  admit(verb: string, bytes: Uint8Array): GuardedCommand;
}

export function createCommandGuard(options: CommandGuardOptions): CommandGuard {
  const { site, node, key, store } = options;
  return {
    admit(verb, bytes) {
      const opened = openEnvelope("command", bytes, key, MAX_COMMAND_BYTES);
      if (!opened.ok) return refuse(opened.isAuthentic ? "malformed" : "unsigned", opened.reason);
      const parsed = parseCommand(opened.body);
      if (!parsed.ok) return refuse("malformed", parsed.reason);
      const { command } = parsed;
      const { counter } = command;
      const last = store.state.counter;
      if (command.site !== site || command.node !== node)
        return refuse("wrong-node", `it is for ${command.site}/${command.node}, this is ${site}/${node}`);
      if (command.verb !== verb) return refuse("wrong-verb", `it says ${command.verb} and came on ${verb.slice(0, 32)}`);
      if (counter === last) return refuse("replayed", `counter ${counter} was used already`, counter);
      if (counter < last) return refuse("older", `counter ${counter} is below ${last}`, counter);
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
