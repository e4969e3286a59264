import { ConfigError } from "../../core/system/errors.ts";
import type { NodeState, SendResult } from "../../mqtt/commands/command-sender.ts";

/** What was sent, and to whom. */
export interface SentCommand {
  readonly node: string;
  readonly site: string;
  readonly verb: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly waitSeconds: number;
  readonly expiresWallMillis: number;
}

/** Text lines, and the JSON document. */
interface OtaResult {
  readonly lines: readonly string[];
  readonly document: Readonly<Record<string, unknown>>;
}

/** Result of a command. Throws if it was refused, or not answered and not queued for a sleeping node. */
export function otaResult(sent: SentCommand, result: SendResult, wallMillis: number): OtaResult {
  const { node, verb } = sent;
  if (!result.sent)
    throw new ConfigError("COMMAND_NOT_SENT", `the command was not sent: ${result.reason}. Check the connection and send it again.`);
  if (result.result === "none") return unanswered(sent, result, wallMillis);
  if (result.result === "refused")
    throw new ConfigError("COMMAND_REFUSED", `${node} refused it (${result.refusal ?? "unknown"}): ${result.reason ?? "no reason given"}.`);
  if (result.isBack === false)
    throw new ConfigError(
      "NODE_NOT_BACK",
      `${node} began to reboot and has not come back in ${sent.waitSeconds} s. Look at its log, or wait longer with --wait-seconds.`,
    );
  const lines = [`${node} obeyed: ${verb}.`, ...effectLines(sent, result.effect)];
  return { lines: result.isBack ? [...lines, "It is back."] : lines, document: result };
}

function effectLines({ verb, payload }: SentCommand, effect: Readonly<Record<string, unknown>>): string[] {
  if (Object.keys(effect).length === 0) return [];
  if (verb === "snapshot") return [`It wrote ${effect.file}, ${effect.bytes} B, into its data folder.`];
  const inForce = Object.entries(effect).map(([name, value]) => `${name} ${value}`);
  const heldBack = Object.keys(payload).filter((name) => name in effect && !isAsOrdered(payload[name], effect[name]));
  const remark = `Held back by the node's certified thresholds or its governor: ${heldBack.join(", ")}.`;
  return [`In force: ${inForce.join(", ")}.`, ...(heldBack.length === 0 ? [] : [remark])];
}

/** Thresholds that were not ordered do not count. */
function isAsOrdered(ordered: unknown, inForce: unknown): boolean {
  return Array.isArray(ordered) && Array.isArray(inForce) ? ordered.every((value, k) => value === inForce[k]) : ordered === inForce;
}

/** A sleeper's command waits; all else that gets no answer is a failure. */
function unanswered(
  { node, site, waitSeconds, expiresWallMillis }: SentCommand,
  { state, hasNoReceiver }: Extract<SendResult, { result: "none" }>,
  wallMillis: number,
): OtaResult {
  const expires = timeText(expiresWallMillis);
  if (state === undefined)
    throw new ConfigError(
      "NODE_UNKNOWN",
      `this broker has no state of node ${node} of site ${site}. Check the name, the site and the broker.`,
    );
  if (hasNoReceiver)
    throw new ConfigError(
      "COMMAND_LOST",
      `${node} is ${stateText(state)}, and the broker keeps no subscription to its commands: this one is not delivered. Send it again once the node is online with a command key.`,
    );
  const { untilWallMillis = 0 } = state;
  if (state.state === "asleep" && untilWallMillis > expiresWallMillis)
    throw new ConfigError(
      "COMMAND_EXPIRES",
      `${node} is ${stateText(state)}, and the command is void after ${expires}. Send it with a longer --expiry-seconds.`,
    );
  if (state.state === "asleep" && untilWallMillis > wallMillis)
    return {
      lines: [
        `${node} is ${stateText(state)}. The command waits in the node's session at the broker, and is delivered when the node wakes, until ${expires}.`,
      ],
      document: { sent: true, result: "asleep", untilWallMillis, expiresWallMillis },
    };
  if (state.state === "awake")
    throw new ConfigError(
      "NODE_SILENT",
      `${node} is awake and has not answered in ${waitSeconds} s: it does not know this key, or has just lost its connection. Look at its log.`,
    );
  throw new ConfigError(
    "NODE_OFFLINE",
    `${node} is ${stateText(state)} and has not answered in ${waitSeconds} s. If the broker still has its session, it gets the command when it is back before ${expires}.`,
  );
}

function stateText({ state, untilWallMillis }: NodeState): string {
  return state === "asleep" && untilWallMillis !== undefined ? `asleep until ${timeText(untilWallMillis)}` : state;
}

/** Any number of milliseconds is safe: a node's clock may be wrong. */
function timeText(wallMillis: number): string {
  const time = new Date(wallMillis);
  return Number.isNaN(time.getTime()) ? "a time beyond every calendar" : time.toISOString().replace(/\.\d+Z$/, "Z");
}
