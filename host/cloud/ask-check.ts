import { ID_BYTES, readCorrelationId } from "../mqtt/asks/answer-check.ts";
import type { IncomingMessage } from "../mqtt/transport/connection-options.ts";
import { CONTENT_TYPE, decodePayload, type Payload } from "../mqtt/wire/payloads.ts";
import { buildTopics, parseTopic } from "../mqtt/wire/topics.ts";
import type { CloudQuery, CloudTextQuery } from "./provider.ts";

/** Where the reply to an ask goes: always the asking node's own answer topic. */
export interface ReplyTo {
  readonly id: string;
  readonly node: string;
  readonly agent: string;
  readonly tick: number;
  readonly topic: string;
}

/** A message on an ask topic: a query, or what is wrong with it and whom, if anybody, to tell. */
export type CheckedAsk =
  | { readonly ok: true; readonly to: ReplyTo; readonly query: CloudQuery | CloudTextQuery }
  | { readonly ok: false; readonly flaw: string; readonly to: ReplyTo | undefined };

/** The answer topic of the node that an ask's topic names: who it is for the worker, guarded by the broker's access list. */
export function senderOf(topic: string): string | undefined {
  const parsed = parseTopic(topic);
  return parsed?.kind === "ask" ? buildTopics(parsed.site, parsed.node).answer : undefined;
}

/**
 * Checks topic, correlation data, response topic, content type, size and schema. A reply is owed only to the answer topic of
 * the node that the request topic names: a payload cannot make a worker publish elsewhere. The deadline is what the payload says remains,
 * and never beyond what the broker left of the message's expiry. Any bytes are safe.
 */
export function checkAsk(message: IncomingMessage, nowMillis: number): CheckedAsk {
  const topic = parseTopic(message.topic);
  if (topic?.kind !== "ask") return { ok: false, flaw: "not an ask topic", to: undefined };
  const id = readCorrelationId(message.correlationData);
  if (id === undefined) return { ok: false, flaw: `no correlation data of ${ID_BYTES} bytes`, to: undefined };
  const own = buildTopics(topic.site, topic.node).answer;
  if (message.responseTopic !== own) return { ok: false, flaw: "its response topic is not the asking node's own", to: undefined };
  const to = { id, node: topic.node, agent: topic.tail!, tick: 0, topic: own };
  if (message.contentType !== CONTENT_TYPE) return { ok: false, flaw: `its content type is not ${CONTENT_TYPE}`, to };
  const decoded = decodePayload(["ask", "text-ask"], message.payload);
  if (!decoded.ok) return { ok: false, flaw: decoded.reason, to };
  const { node, agent, tick, deadlineMillis } = decoded.value;
  if (node !== topic.node || agent !== topic.tail) return { ok: false, flaw: "payload and topic name different nodes or agents", to };
  const expiryMillis = message.messageExpirySeconds === undefined ? deadlineMillis : message.messageExpirySeconds * 1000;
  const deadlineAtMillis = nowMillis + Math.min(deadlineMillis, expiryMillis);
  return { ok: true, to: { id, node, agent, tick, topic: own }, query: queryOf(id, deadlineAtMillis, decoded.value) };
}

/** Field by field: a worker reads every ask, and gathering them by spreads takes it three times as long as decoding. */
function queryOf(id: string, deadlineAtMillis: number, ask: Payload<"ask" | "text-ask">): CloudQuery | CloudTextQuery {
  const { node, agent, tick } = ask;
  if (ask.kind === "text-ask") {
    const { question, facts, said } = ask;
    return { id, node, agent, tick, deadlineAtMillis, question, facts, said };
  }
  const { imageHash, labels, patchBytes, windowPatches, local, form, atExit } = ask;
  const patches = new Int8Array(ask.patches.buffer, ask.patches.byteOffset, ask.patches.byteLength);
  const query: { -readonly [K in keyof CloudQuery]: CloudQuery[K] } = {
    id,
    node,
    agent,
    tick,
    deadlineAtMillis,
    imageHash,
    labels,
    patches,
    patchBytes,
    windowPatches,
    local,
  };
  if (form !== undefined) query.form = form;
  if (atExit !== undefined) query.atExit = atExit;
  return query;
}
