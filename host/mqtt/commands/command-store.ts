import { existsSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "../../core/system/errors.ts";
import { readSmall, writeWhole } from "../../core/system/private-file.ts";
import type { CommandPayload } from "./command.ts";

const counter = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const stateSchema = z.strictObject({
  v: z.literal(1),
  /** Of the last command that was taken. */
  counter,
  /** In files of 0.1.0, and without a meaning since. */
  modelCounters: z.unknown().optional(),
  /** The set-point that was ordered last: a restart goes on with it. */
  setPoint: z.record(z.string(), z.unknown()),
});

export interface CommandState {
  readonly counter: number;
  readonly setPoint: CommandPayload<"set-point">;
}

/** What a device must not forget of its commands, or a replay would count as new. */
export interface CommandStore {
  readonly state: CommandState;
  /** Durable when it returns; throws ConfigError where the disk refuses, and then nothing has changed. */
  commit(next: CommandState): void;
}

const BLANK: CommandState = { counter: 0, setPoint: {} };

/** For tests and simulations. */
export function memoryCommandStore(state: CommandState = BLANK): CommandStore {
  let now = state;
  return {
    get state() {
      return now;
    },
    commit(next) {
      now = next;
    },
  };
}

/**
 * A file, written whole. One that cannot be read is an error: to begin again at 0 would take every old command for a new one. Where
 * there is none yet, `floor` is the counter that every command must exceed.
 */
export function openCommandStore(path: string, floor = 0): CommandStore {
  const found = existsSync(path) ? readState(path) : BLANK;
  const store = memoryCommandStore({ ...found, counter: Math.max(found.counter, floor) });
  return {
    get state() {
      return store.state;
    },
    commit(next) {
      writeWhole(path, `${JSON.stringify({ v: 1, ...next })}\n`, { isPrivate: true });
      store.commit(next);
    },
  };
}

function readState(path: string): CommandState {
  const mend = "Restore it from a copy; or remove it, and know that old commands count as new ones then.";
  try {
    const { v, modelCounters, ...state } = stateSchema.parse(JSON.parse(readSmall(path, "the command counters", mend)));
    return state as CommandState;
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError("COMMAND_STATE_INVALID", `${path} does not hold this node's command counters. ${mend}`, { cause });
  }
}
