import type { KeyObject } from "node:crypto";
import { type Clock, systemClock } from "../../core/system/clock.ts";
import { type RandomBytes, systemRandom } from "../transport/backoff.ts";
import type { BrokerOptions } from "../transport/broker-url.ts";
import { createConnection } from "../transport/connection.ts";
import type { IncomingMessage } from "../transport/connection-options.ts";
import { withoutSession } from "../transport/without-session.ts";
import { decodePayload, type Payload } from "../wire/payloads.ts";
import { buildTopics } from "../wire/topics.ts";
import { type Command, signCommand } from "./command.ts";
import { type CommandReport, readCommandReport } from "./command-report.ts";

export interface SendOptions {
  readonly broker: BrokerOptions;
  readonly key: KeyObject;
  readonly command: Command;
  /** How long to wait for the broker, and then for the node's report. */
  readonly waitMillis: number;
  /** How long the broker keeps it for a node that sleeps. */
  readonly expirySeconds: number;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
  readonly signal?: AbortSignal;
}

/** The node's last retained state. */
export type NodeState = Pick<Payload<"state">, "state" | "untilWallMillis">;

/** What became of a command. */
export type SendResult =
  | { readonly sent: false; readonly reason: string }
  | { readonly sent: true; readonly result: "refused"; readonly refusal?: string | undefined; readonly reason?: string | undefined }
  | {
      readonly sent: true;
      readonly result: "obeyed";
      readonly effect: NonNullable<CommandReport["effect"]>;
      /** Of a reboot: whether the node has come back. */
      readonly isBack?: boolean;
    }
  /** The broker has it, the node has not answered. */
  | {
      readonly sent: true;
      readonly result: "none";
      /** Left out: the broker has no state of a node of that name. */
      readonly state?: NodeState | undefined;
      /** The broker reports no subscriber to the node's commands, not even a stored session. */
      readonly hasNoReceiver: boolean;
    };

/**
 * Signs and sends one command, and waits for its effect: the node's report on its telemetry topic, and of a reboot that the node is
 * back. A node that sleeps beyond the wait, or that nothing reaches, is not waited for. Never throws for a network failure.
 */
export function sendCommand(options: SendOptions): Promise<SendResult> {
  const { command, waitMillis, clock = systemClock, random = systemRandom } = options;
  const topics = buildTopics(command.site, command.node);
  const payload = signCommand(command, options.key);
  return new Promise((resolve) => {
    let why = "the broker was not reached";
    let acknowledged: { readonly hasNoReceiver: boolean } | undefined;
    let state: NodeState | undefined;
    let report: CommandReport | undefined; // the node's first: a command that comes twice is obeyed, then refused
    let isFinished = false;
    const finish = (result: SendResult) => {
      if (isFinished) return;
      isFinished = true;
      cancel();
      options.signal?.removeEventListener("abort", giveUp);
      void connection.close().then(() => resolve(result));
    };
    const giveUp = () => {
      if (report) finish({ sent: true, result: "obeyed", effect: report.effect ?? {}, isBack: false });
      else finish(acknowledged ? { sent: true, result: "none", state, ...acknowledged } : { sent: false, reason: why });
    };
    /** Ends the wait where no answer can come in it. */
    const look = () => {
      const isAsleep = state?.state === "asleep" && (state.untilWallMillis ?? 0) > clock.wall() + waitMillis;
      if (acknowledged && !report && state && (acknowledged.hasNoReceiver || isAsleep)) giveUp();
    };
    const onState = ({ payload: bytes, retain }: IncomingMessage) => {
      const decoded = decodePayload(["state"], bytes);
      if (!decoded.ok) return;
      state = decoded.value;
      if (report && !retain && state.state === "awake") finish({ sent: true, result: "obeyed", effect: report.effect ?? {}, isBack: true });
      else look();
    };
    const onTelemetry = ({ payload: bytes }: IncomingMessage) => {
      const decoded = decodePayload(["telemetry"], bytes);
      const found = decoded.ok ? readCommandReport(decoded.value.data) : undefined;
      if (report || found?.counter !== command.counter) return;
      const { result, effect = {}, refusal, reason } = found;
      if (result === "refused") finish({ sent: true, result, refusal, reason });
      else if (command.verb === "reboot") report = found;
      else finish({ sent: true, result, effect });
    };
    const connection = createConnection({
      broker: options.broker,
      ...withoutSession("operator", random),
      clock,
      keepAliveSeconds: 30,
      receiveMaximum: 16,
      filters: () => [topics.telemetry, topics.state],
      onMessage: (message) => (message.topic === topics.state ? onState(message) : onTelemetry(message)),
      async onState(link, detail) {
        if (link !== "online") why = detail ?? why;
        if (link !== "online" || acknowledged) return;
        const result = await connection.publish(topics.command(command.verb), payload, { messageExpirySeconds: options.expirySeconds });
        if (!result.ok) return finish({ sent: false, reason: result.reason });
        acknowledged = { hasNoReceiver: result.hasNoReceiver ?? false };
        look();
      },
    });
    const cancel = clock.after(waitMillis, giveUp);
    options.signal?.addEventListener("abort", giveUp, { once: true });
    connection.open();
  });
}
