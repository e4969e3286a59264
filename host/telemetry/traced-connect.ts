import type { Span, Telemetry } from "../core/telemetry.ts";
import { idOf } from "../mqtt/answer-check.ts";
import { type Connect, createConnection, type IncomingMessage } from "../mqtt/connection.ts";
import { parseTopic } from "../mqtt/topics.ts";
import { METRICS } from "./catalogue.ts";

/** W3C Trace Context as an MQTT 5 user property. */
const TRACEPARENT = "traceparent";
/** Spans that are open at once; beyond, the oldest ends unfinished. */
const MAX_OPEN_SPANS = 4096;

/** Open spans by ask, bounded. */
interface OpenSpans {
  get(id: string): Span | undefined;
  add(id: string, span: Span): void;
  take(id: string): Span | undefined;
}

/** A connection that traces the asks of a node, and how its asks are told that they have ended. */
export interface TracedAsks {
  readonly connect: Connect;
  /** Ends the ask's span: for the asker's onOutcome. */
  ended(id: string, state: string): void;
}

/** A node's end: a span from an ask's first sending to its end, handed on in every sending; its answer is a span of its own below the worker's. */
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
        const id = idOf(more?.correlationData);
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

/** A worker's end: a span from an ask's arrival to its reply, below the node's; the reply hands it on. */
export function traceWorker(telemetry: Telemetry, now: () => number, connect: Connect = createConnection): Connect {
  const spans = openSpans();
  return (options) => {
    const connection = connect({
      ...options,
      onMessage(message) {
        const id = idOf(message.correlationData);
        const topic = parseTopic(message.topic);
        if (topic?.kind === "ask" && id !== undefined) {
          const attributes = {
            "dormouse.site": topic.site,
            "dormouse.node": topic.node,
            "dormouse.agent": topic.tail!,
            "dormouse.ask": id,
          };
          const key = `${topic.site}/${topic.node}/${id}`;
          if (spans.get(key) === undefined) {
            const began = now();
            const span = telemetry.span("dormouse work", { kind: "consumer", traceparent: traceparentOf(message), attributes });
            spans.add(key, {
              ...span,
              end(more, error) {
                telemetry.record(METRICS.workerSeconds, (now() - began) / 1000);
                span.end(more, error);
              },
            });
          }
        }
        options.onMessage(message);
      },
    });
    return withPublish(connection, async (topic, payload, more) => {
      const parsed = parseTopic(topic);
      const id = idOf(more?.correlationData);
      const span = parsed?.kind === "answer" && id !== undefined ? spans.take(`${parsed.site}/${parsed.node}/${id}`) : undefined;
      if (span === undefined) return connection.publish(topic, payload, more);
      const result = await connection.publish(topic, payload, { ...more, ...propertyOf(span) });
      span.end({}, result.ok ? undefined : result.reason);
      return result;
    });
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

function openSpans(): OpenSpans {
  const map = new Map<string, Span>(); // oldest first
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
