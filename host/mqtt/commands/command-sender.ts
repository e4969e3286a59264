import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { type Clock, systemClock } from "../../core/clock.ts";
import { type RandomBytes, systemRandom } from "../backoff.ts";
import type { BrokerOptions } from "../broker-url.ts";
import { createConnection } from "../connection.ts";
import { decodePayload } from "../payloads.ts";
import { topicsOf } from "../topics.ts";
import { type Command, signCommand } from "./command.ts";

export interface SendOptions {
  readonly broker: BrokerOptions;
  readonly key: KeyObject;
  readonly command: Command;
  /** How long to wait for the broker, and then for the node's word. */
  readonly waitMillis: number;
  /** How long the broker keeps it for a node that sleeps. */
  readonly expirySeconds: number;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
  readonly signal?: AbortSignal;
}

/** What became of a command: `none` = the broker has it, the node has not spoken yet (it sleeps, or refuses what it cannot read). */
export type SendResult =
  | { readonly sent: true; readonly result: "obeyed" | "refused" | "none"; readonly refusal?: string; readonly reason?: string }
  | { readonly sent: false; readonly reason: string };

const reportSchema = z.object({
  command: z.object({
    counter: z.number(),
    result: z.enum(["obeyed", "refused"]),
    refusal: z.string().max(64).optional(),
    reason: z.string().max(256).optional(),
  }),
});

/** Signs and sends one command, and waits for the node's report on its telemetry topic. Never throws for a network failure. */
export function sendCommand(options: SendOptions): Promise<SendResult> {
  const { command, clock = systemClock, random = systemRandom } = options;
  const topics = topicsOf(command.site, command.node);
  const payload = signCommand(command, options.key);
  return new Promise((resolve) => {
    let why = "the broker was not reached";
    let isSent = false;
    let isFinished = false;
    const finish = (result: SendResult) => {
      if (isFinished) return; // the node's first word counts: a command that comes twice is obeyed, then refused
      isFinished = true;
      cancel();
      options.signal?.removeEventListener("abort", giveUp);
      void connection.close().then(() => resolve(result));
    };
    const giveUp = () => finish(isSent ? { sent: true, result: "none" } : { sent: false, reason: why });
    const connection = createConnection({
      broker: options.broker,
      clientId: `operator-${Buffer.from(random(8)).toString("hex")}`,
      clock,
      random,
      backoff: { firstMillis: 500, maxMillis: 5000 },
      keepAliveSeconds: 30,
      cleanStart: true,
      sessionExpirySeconds: 0,
      receiveMaximum: 16,
      filters: () => [topics.telemetry],
      onMessage(message) {
        const decoded = decodePayload(["telemetry"], message.payload);
        const report = decoded.ok ? reportSchema.safeParse(decoded.value.data) : undefined;
        if (!report?.success || report.data.command.counter !== command.counter) return;
        const { result, refusal, reason } = report.data.command;
        finish({ sent: true, result, ...(refusal === undefined ? {} : { refusal }), ...(reason === undefined ? {} : { reason }) });
      },
      async onState(state, detail) {
        if (state !== "online") why = detail ?? why;
        if (state !== "online" || isSent) return;
        const result = await connection.publish(topics.command(command.verb), payload, { messageExpirySeconds: options.expirySeconds });
        if (result.ok) isSent = true;
        else finish({ sent: false, reason: result.reason });
      },
    });
    const cancel = clock.after(options.waitMillis, giveUp);
    options.signal?.addEventListener("abort", giveUp, { once: true });
    connection.open();
  });
}
