import type { KeyObject } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { MqttError } from "../core/errors.ts";
import type { Command, CommandPayload, CommandVerb } from "../mqtt/commands/command.ts";
import { COMMAND_REFUSALS, type CommandCounts, type CommandRefusal, createCommandGuard } from "../mqtt/commands/command-guard.ts";
import type { CommandState, CommandStore } from "../mqtt/commands/command-store.ts";
import { checkModelManifest, type ModelManifest } from "../mqtt/commands/model-manifest.ts";
import type { IncomingMessage } from "../mqtt/connection.ts";
import { parseTopic } from "../mqtt/topics.ts";

/** A refusal is told at most so often: an old command, sent again and again, shall not keep the radio on. */
const TELL_REFUSAL_MILLIS = 10_000;

/** What a node can be told to do. Each returns undefined when it is done (or begun), or why it cannot be. */
export interface CommandActions {
  setPoint(order: CommandPayload<"set-point">): string | undefined;
  snapshot(counter: number): string | undefined;
  reboot(): string | undefined;
  /** The manifest is signed, newer than the last, and for this agent and core. */
  modelUpdate(manifest: ModelManifest, signed: Uint8Array): string | undefined;
}

/** What became of a command, as told to the operator. */
export interface CommandReport {
  readonly verb: CommandVerb | string;
  readonly counter: number;
  readonly result: "obeyed" | "refused";
  readonly refusal?: CommandRefusal;
  readonly reason?: string;
}

export interface CommandInboxOptions {
  readonly site: string;
  readonly node: string;
  readonly agent: string;
  /** The operator's public key. */
  readonly key: KeyObject;
  readonly store: CommandStore;
  readonly clock: Clock;
  readonly actions: CommandActions;
  /** Publishes a report. */
  readonly tell: (report: CommandReport) => void;
  readonly onAnomaly?: (error: MqttError) => void;
  readonly onCommand?: (verb: string, outcome: "obeyed" | CommandRefusal) => void;
}

export interface CommandInbox {
  /** Takes a message on command/{verb}. Any bytes are safe. */
  receive(message: Pick<IncomingMessage, "topic" | "payload">): void;
  counts(): CommandCounts;
}

/** Where the operator's commands arrive: checked, counted, done, reported. */
export function createCommandInbox(options: CommandInboxOptions): CommandInbox {
  const { store, actions, clock, key } = options;
  const guard = createCommandGuard({ ...options, wall: () => clock.wall() });
  const counts = Object.fromEntries(["obeyed", ...COMMAND_REFUSALS].map((kind) => [kind, 0])) as Record<CommandRefusal | "obeyed", number>;
  let quietUntil = Number.NEGATIVE_INFINITY;

  /** Does what the disk has taken already; what cannot be done is taken back from there. */
  function remembered(what: Partial<CommandState>, act: () => string | undefined): string | undefined {
    const before = store.state;
    store.commit({ ...before, ...what });
    const flaw = attempt(act);
    if (flaw !== undefined) store.commit(before);
    return flaw;
  }

  function execute(command: Command): string | undefined {
    switch (command.verb) {
      case "set-point":
        return remembered({ setPoint: command.payload }, () => actions.setPoint(command.payload));
      case "snapshot":
        return actions.snapshot(command.counter);
      case "reboot":
        return actions.reboot();
      case "model-update": {
        const counterOf = (agent: string) => store.state.modelCounters[agent] ?? 0;
        const checked = checkModelManifest(command.payload.manifest, key, { agent: options.agent, counterOf });
        if (!checked.ok) return `${checked.refusal}: ${checked.reason}`;
        const { agent, counter } = checked.manifest;
        const modelCounters = { ...store.state.modelCounters, [agent]: counter };
        return remembered({ modelCounters }, () => actions.modelUpdate(checked.manifest, command.payload.manifest));
      }
    }
  }

  function refused(verb: string, refusal: CommandRefusal, reason: string, counter: number | undefined): void {
    counts[refusal]++;
    options.onCommand?.(verb, refusal);
    options.onAnomaly?.(new MqttError("COMMAND_REFUSED", `a command ${verb} was not obeyed (${refusal}): ${reason}.`));
    if (counter === undefined || clock.now() < quietUntil) return;
    quietUntil = clock.now() + TELL_REFUSAL_MILLIS;
    options.tell({ verb, counter, result: "refused", refusal, reason: reason.slice(0, 256) });
  }

  return {
    receive(message) {
      const topic = parseTopic(message.topic);
      const verb = topic?.kind === "command" ? topic.tail! : "";
      const admitted = guard.admit(verb, message.payload);
      if (!admitted.ok) return refused(verb, admitted.refusal, admitted.reason, admitted.counter);
      const { counter } = admitted.command;
      const flaw = attempt(() => execute(admitted.command));
      if (flaw !== undefined) return refused(verb, "not-done", flaw, counter);
      counts.obeyed++;
      options.onCommand?.(verb, "obeyed");
      options.tell({ verb, counter, result: "obeyed" });
    },
    counts: () => ({ ...counts }),
  };
}

/** A full disk while a command is done is a reason, not a crash. */
function attempt(run: () => string | undefined): string | undefined {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
