import type { WorkerOptions } from "../cloud/worker-types.ts";
import type { Span, Telemetry } from "../core/session/telemetry.ts";
import { readCorrelationId } from "../mqtt/asks/answer-check.ts";
import { type Connect, createConnection } from "../mqtt/transport/connection.ts";
import type { IncomingMessage } from "../mqtt/transport/connection-options.ts";
import { parseTopic } from "../mqtt/wire/topics.ts";
import { METRICS } from "./catalogue.ts";

/** W3C Trace Context as an MQTT 5 user property. */
const TRACEPARENT = "traceparent";
/** Spans that are open at once; beyond, the oldest ends unfinished. */
const MAX_OPEN_SPANS = 4096;

/** Open spans by ask, bounded. */
interface OpenSpans<S extends Span> {
  get(id: string): S | undefined;
  add(id: string, span: S): void;
  take(id: string): S | undefined;
}

/** A connection that traces a node's asks, and the callback that ends their spans. */
export interface TracedAsks {
  readonly connect: Connect;
  /** Ends the ask's span: for the asker's onOutcome. */
  ended(id: string, state: string): void;
}

/** Node side: one span per ask, from its first send to its end, propagated in every send. The answer is a child span of the worker's. */
export function traceAsks(telemetry: Telemetry, connect: Connect = createConnection): TracedAsks {
  const spans = openSpans();
  return {
    connect(options) {
      const connection = connect({
        ...options,
        onMessage(message) {
          const isAnswer = parseTopic(message.topic)?.kind === "answer";
          const span = isAnswer ? telemetry.span("dormouse answer", { kind: "consumer", traceparent: traceparentOf(message) }) : undefined;
          options.onMessage(message);
          span?.end();
        },
      });
      return withPublish(connection, (topic, payload, more) => {
        const parsed = parseTopic(topic);
        const id = readCorrelationId(more?.correlationData);
        if (parsed?.kind !== "ask" || id === undefined) return connection.publish(topic, payload, more);
        let span = spans.get(id);
        if (span === undefined) {
          const { site, node, tail } = parsed;
          const attributes = { "dormouse.site": site, "dormouse.node": node, "dormouse.agent": tail!, "dormouse.ask": id };
          span = telemetry.span("dormouse ask", { kind: "producer", attributes });
          spans.add(id, span);
        } else span.event("sent again");
        return connection.publish(topic, payload, { ...more, ...propertyOf(span) });
      });
    },
    ended(id, state) {
      spans.take(id)?.end({ "dormouse.state": state }, state === "answered" ? undefined : state);
    },
  };
}

/** A connection that traces a worker's own asks, and the callback that starts their spans; for startWorker. */
export type TracedWorker = Required<Pick<WorkerOptions, "connect" | "onTaken" | "onDropped">>;

/** Worker side: a span from an ask's arrival to its reply, child of the node's, propagated in the reply. Asks of other workers have none. */
export function traceWorker(telemetry: Telemetry, now: () => number, connect: Connect = createConnection): TracedWorker {
  const spans = openSpans<Span & { readonly beganMillis: number }>();
  const keyOf = (answerTopic: string, id: string): string => `${answerTopic}/${id}`;
  let traceparent: string | undefined; // of the message in hand
  return {
    onTaken({ id, node, agent, topic }) {
      if (spans.get(keyOf(topic, id))) return; // a repeat that is malformed
      const { site = "" } = parseTopic(topic) ?? {};
      const attributes = { "dormouse.site": site, "dormouse.node": node, "dormouse.agent": agent, "dormouse.ask": id };
      const span = telemetry.span("dormouse work", { kind: "consumer", traceparent, attributes });
      spans.add(keyOf(topic, id), { ...span, beganMillis: now() });
    },
    onDropped: ({ id, topic }, why) => spans.take(keyOf(topic, id))?.end({}, why),
    connect(options) {
      const connection = connect({
        ...options,
        onMessage(message) {
          traceparent = traceparentOf(message);
          options.onMessage(message);
          traceparent = undefined;
        },
      });
      return withPublish(connection, async (topic, payload, more) => {
        const id = readCorrelationId(more?.correlationData);
        const span = id === undefined ? undefined : spans.take(keyOf(topic, id));
        if (span === undefined) return connection.publish(topic, payload, more);
        const result = await connection.publish(topic, payload, { ...more, ...propertyOf(span) });
        telemetry.record(METRICS.workerSeconds, (now() - span.beganMillis) / 1000);
        span.end({}, result.ok ? undefined : result.reason);
        return result;
      });
    },
  };
}

type Publish = ReturnType<Connect>["publish"];

function withPublish(connection: ReturnType<Connect>, publish: Publish): ReturnType<Connect> {
  return {
    get state() {
      return connection.state;
    },
    open: () => connection.open(),
    publish,
    flush: () => connection.flush(),
    close: (options) => connection.close(options),
    effort: () => connection.effort(),
  };
}

function propertyOf({ traceparent }: Span) {
  return traceparent === undefined ? {} : { userProperties: { [TRACEPARENT]: traceparent } };
}

function traceparentOf({ userProperties }: IncomingMessage): string | undefined {
  const value = userProperties?.[TRACEPARENT];
  return typeof value === "string" ? value : undefined;
}

function openSpans<S extends Span = Span>(): OpenSpans<S> {
  const map = new Map<string, S>(); // oldest first
  return {
    get: (id) => map.get(id),
    add(id, span) {
      map.set(id, span);
      if (map.size <= MAX_OPEN_SPANS) return;
      const [oldest, unfinished] = map.entries().next().value!;
      map.delete(oldest);
      unfinished.end({}, "forgotten");
    },
    take(id) {
      const span = map.get(id);
      map.delete(id);
      return span;
    },
  };
}
