import type { KeyObject } from "node:crypto";
import type { Clock } from "../core/system/clock.ts";
import { MqttError } from "../core/system/errors.ts";
import { createRepeatLimit } from "../core/system/repeat-limit.ts";
import type { Command, CommandPayload } from "../mqtt/commands/command.ts";
import { type CommandCounts, createCommandGuard } from "../mqtt/commands/command-guard.ts";
import { COMMAND_REFUSALS, type CommandRefusal, type CommandReport } from "../mqtt/commands/command-report.ts";
import type { CommandStore } from "../mqtt/commands/command-store.ts";
import { createRefusalTeller } from "../mqtt/commands/refuse-commands.ts";
import type { IncomingMessage } from "../mqtt/transport/connection-options.ts";
import { parseTopic } from "../mqtt/wire/topics.ts";

/** What doing a command has brought about, for the operator to read; or, as a text, why it cannot be done. */
export type ActionResult = string | Readonly<Record<string, unknown>>;

/** Commands that a node can carry out; a promise is of a device at the end of a link. */
export interface CommandActions {
  setPoint(order: CommandPayload<"set-point">): ActionResult | Promise<ActionResult>;
  snapshot(): ActionResult | Promise<ActionResult>;
  /** Begun when it returns. */
  reboot(): ActionResult | Promise<ActionResult>;
}

export interface CommandInboxOptions {
  readonly site: string;
  readonly node: string;
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
  const { store, actions, clock } = options;
  const guard = createCommandGuard({ ...options, wall: () => clock.wall() });
  const counts = Object.fromEntries(["obeyed", ...COMMAND_REFUSALS].map((kind) => [kind, 0])) as Record<CommandRefusal | "obeyed", number>;
  const anomalies = createRepeatLimit(clock, (code, message) => options.onAnomaly?.(new MqttError(code, message)));
  const tellRefusal = createRefusalTeller(clock, options.tell);

  /** Orders what the disk has taken already; what cannot be done is taken back from there. */
  function order(setPoint: CommandPayload<"set-point">): ActionResult | Promise<ActionResult> {
    const before = store.state;
    store.commit({ ...before, setPoint });
    return after(
      attempt(() => actions.setPoint(setPoint)),
      (done) => {
        if (typeof done === "string") store.commit({ ...before, counter: store.state.counter });
        return done;
      },
    );
  }

  function execute(command: Command): ActionResult | Promise<ActionResult> {
    switch (command.verb) {
      case "set-point":
        return order(command.payload);
      case "snapshot":
        return actions.snapshot();
      case "reboot":
        return actions.reboot();
    }
  }

  function refused(verb: string, refusal: CommandRefusal, reason: string, counter: number | undefined): void {
    counts[refusal]++;
    options.onCommand?.(verb, refusal);
    anomalies.tell("COMMAND_REFUSED", `a command ${verb} was not obeyed (${refusal}): ${reason}.`);
    if (counter !== undefined) tellRefusal({ verb, counter, refusal, reason });
  }

  return {
    receive(message) {
      const topic = parseTopic(message.topic);
      const verb = topic?.kind === "command" ? topic.tail! : "";
      const admitted = guard.admit(verb, message.payload);
      if (!admitted.ok) return refused(verb, admitted.refusal, admitted.reason, admitted.counter);
      const { counter } = admitted.command;
      void after(
        attempt(() => execute(admitted.command)),
        (done) => {
          if (typeof done === "string") return refused(verb, "not-done", done, counter);
          counts.obeyed++;
          options.onCommand?.(verb, "obeyed");
          options.tell({ verb, counter, result: "obeyed", effect: done });
        },
      );
    },
    counts: () => ({ ...counts }),
  };
}

/** A full disk while a command is done is a reason, not a crash. */
function attempt(run: () => ActionResult | Promise<ActionResult>): ActionResult | Promise<ActionResult> {
  const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));
  try {
    const result = run();
    return result instanceof Promise ? result.catch(reason) : result;
  } catch (error) {
    return reason(error);
  }
}

/** Goes on at once with a result that is there, or once it is. */
function after<T>(result: ActionResult | Promise<ActionResult>, go: (done: ActionResult) => T): T | Promise<T> {
  return result instanceof Promise ? result.then(go) : go(result);
}
