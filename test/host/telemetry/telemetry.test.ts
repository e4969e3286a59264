import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { ReplyTo } from "../../../host/cloud/ask-check.ts";
import { startWorker } from "../../../host/cloud/worker.ts";
import { noTelemetry, type Telemetry } from "../../../host/core/session/telemetry.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import type { ConnectionOptions, IncomingMessage } from "../../../host/mqtt/transport/connection-options.ts";
import type { AskOutcome } from "../../../host/mqtt/wire/ask.ts";
import { METRICS } from "../../../host/telemetry/catalogue.ts";
import { openTelemetry, type RunningTelemetry } from "../../../host/telemetry/telemetry.ts";
import { traceAsks, traceWorker } from "../../../host/telemetry/traced-connect.ts";
import { timedProvider, watchWorker } from "../../../host/telemetry/watch.ts";
import { aedesBroker, freePort } from "../../support/broker.ts";
import { echoProvider } from "../../support/echo-provider.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { query } from "../../support/query.ts";
import { until } from "../../support/until.ts";
import { openOtlpReceiver } from "./otlp-receiver.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function opened<T extends { close(): Promise<unknown> }>(opening: Promise<T>): Promise<T> {
  const made = await opening;
  cleanups.push(() => made.close());
  return made;
}

const open = (service: string, more: { otlpUrl?: string; port?: number }): Promise<RunningTelemetry> =>
  opened(
    openTelemetry({
      ...{ service, version: "1", instance: "test", exportIntervalMillis: 60_000 },
      ...(more.otlpUrl === undefined ? {} : { otlpUrl: more.otlpUrl }),
      ...(more.port === undefined ? {} : { metrics: { host: "127.0.0.1", port: more.port } }),
    }),
  );

describe("telemetry", () => {
  it("traces an ask from the node through the worker and back as one trace", async () => {
    const receiver = await opened(openOtlpReceiver());
    const broker = await opened(aedesBroker());
    const [edge, cloud] = [await open("edge", { otlpUrl: receiver.url }), await open("cloud", { otlpUrl: receiver.url })];
    const now = () => performance.now();
    const worker = startWorker({
      broker: { url: broker.url },
      provider: timedProvider(echoProvider(), cloud, now),
      ...traceWorker(cloud, now),
    });
    expect(await worker.ready(8000)).toBe(true);
    const outcomes: AskOutcome[] = [];
    const traced = traceAsks(edge);
    const asker = createAsker({
      ...{ broker: { url: broker.url }, site: "lab", node: "wrist-1", connect: traced.connect },
      events: {
        onOutcome(outcome) {
          traced.ended(outcome.id, outcome.state);
          outcomes.push(outcome);
        },
      },
    });
    for (let n = 0; n < 5; n++) asker.ask(query(n));
    await until(() => outcomes.length === 5, "all asks have ended");
    await asker.close();
    await worker.close();
    await edge.close();
    await cloud.close();

    const named = (name: string) => receiver.spans.filter((span) => span.name === name);
    expect(named("dormouse ask")).toHaveLength(5);
    for (const ask of named("dormouse ask")) {
      expect(ask).toMatchObject({
        service: "edge",
        parentSpanId: undefined,
        attributes: { "dormouse.node": "wrist-1", "dormouse.state": "answered" },
      });
      const work = named("dormouse work").find(({ traceId }) => traceId === ask.traceId);
      expect(work).toMatchObject({
        service: "cloud",
        parentSpanId: ask.spanId,
        attributes: { "dormouse.ask": ask.attributes["dormouse.ask"] },
      });
      const answer = named("dormouse answer").find(({ traceId }) => traceId === ask.traceId);
      expect(answer).toMatchObject({ service: "edge", parentSpanId: work!.spanId });
    }
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(5);
    expect(receiver.metrics).toContain("dormouse.provider.seconds"); // metrics are pushed, too
  });

  it("has a worker's span of each ask that the worker takes, ended with its reply or its expiry, and times replies alone", async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const seconds: number[] = [];
    const telemetry: Telemetry = {
      ...noTelemetry,
      record: (_, value) => seconds.push(value),
      span(_, { traceparent, attributes }) {
        const id = String(attributes!["dormouse.ask"]).slice(0, 2);
        log.push(`begin ${id} below ${traceparent}`);
        return { traceparent: `work-${id}`, event: () => {}, end: (_more, error) => log.push(`end ${id} ${error ?? "well"}`) };
      },
    };
    const sent: unknown[] = [];
    let hear!: (message: IncomingMessage) => void;
    const { connect, onTaken, onDropped } = traceWorker(
      telemetry,
      () => clock.now(),
      ({ onMessage }) => {
        hear = onMessage;
        return {
          ...{
            state: "online",
            open: () => {},
            flush: async () => {},
            close: async () => {},
            effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
          },
          publish: async (_topic, _payload, more) => {
            sent.push(more?.userProperties);
            return { ok: true };
          },
        };
      },
    );
    const topic = "dormouse/v1/lab/wrist/answer";
    const toOf = (n: number): ReplyTo => ({ id: `0${n}`.repeat(16), node: "wrist", agent: "activity", tick: 0, topic });
    const mine = new Set([1, 2, 3]);
    const connection = connect({
      ...({} as ConnectionOptions),
      onMessage: ({ correlationData }) => mine.has(correlationData![0]!) && onTaken(toOf(correlationData![0]!)),
    });
    const ask = (n: number) =>
      hear({
        ...{ topic: "dormouse/v1/lab/wrist/ask/activity", payload: new Uint8Array(), retain: false, correlationData: Buffer.alloc(16, n) },
        userProperties: { traceparent: `ask-${n}` },
      } as IncomingMessage);
    for (const n of [1, 2, 4]) ask(n); // 4 is another worker's
    clock.advance(2000);
    await connection.publish(topic, new Uint8Array(), { correlationData: Buffer.alloc(16, 1) });
    onDropped(toOf(2), "expired");
    ask(3);
    for (let n = 0; n < 4096; n++) onTaken({ ...toOf(9), id: `e${n.toString(16).padStart(31, "0")}` }); // push 3 out
    expect(log.filter((line) => / 0\d /.test(line))).toEqual([
      "begin 01 below ask-1",
      "begin 02 below ask-2",
      "end 01 well",
      "end 02 expired",
      "begin 03 below ask-3",
      "end 03 forgotten",
    ]);
    expect(sent).toEqual([{ traceparent: "work-01" }]);
    expect(seconds).toEqual([2]);
  });

  it("answers a real scrape in Prometheus' format with what the counters say", async () => {
    const telemetry = await open("cloud", { port: 0 });
    const broker = await opened(aedesBroker());
    const worker = startWorker({
      broker: { url: broker.url },
      provider: timedProvider(echoProvider(), telemetry, () => performance.now()),
    });
    cleanups.push(() => worker.close());
    watchWorker(telemetry, worker);
    telemetry.record(METRICS.askSeconds, 0.2, { state: "answered" });
    expect(telemetry.metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    const response = await fetch(telemetry.metricsUrl!);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/plain");
    const text = await response.text();
    expect(text).toMatch(/^# TYPE dormouse_worker_asks_total counter$/m);
    expect(text).toMatch(/^dormouse_worker_asks_total\{[^}]*fate="received"[^}]*\} 0$/m);
    expect(text).toMatch(/^dormouse_ask_seconds_bucket\{[^}]*state="answered"[^}]*le="0.25"[^}]*\} 1$/m);
    expect(text).toMatch(/^dormouse_ask_seconds_bucket\{[^}]*state="answered"[^}]*le="0.1"[^}]*\} 0$/m);
    const elsewhere = telemetry.metricsUrl!.replace("/metrics", "/");
    expect((await fetch(elsewhere)).status).toBe(404);
    expect((await fetch(telemetry.metricsUrl!, { method: "POST", body: "x" })).status).toBe(404);
  });

  it("costs nothing and opens nothing where nobody asked for it", async () => {
    const telemetry = await openTelemetry({ service: "x", version: "1", instance: "1" });
    expect(telemetry.metricsUrl).toBeUndefined();
    expect(telemetry.span).toBe(noTelemetry.span);
    const span = telemetry.span("x", { kind: "internal" });
    expect(span.traceparent).toBeUndefined();
  });

  it("says which port is taken, and leaves in bounded time when the collector is away", async () => {
    const first = await open("a", { port: 0 });
    const port = Number(new URL(first.metricsUrl!).port);
    await expect(open("b", { port })).rejects.toMatchObject({ code: "METRICS_LISTEN_FAILED" });
    const lonely = await open("c", { otlpUrl: `http://127.0.0.1:${await freePort()}` });
    lonely.span("x", { kind: "internal" }).end();
    const began = performance.now();
    await lonely.close();
    expect(performance.now() - began).toBeLessThan(4000);
  });

  it("begins a trace of its own for any traceparent that is none", async () => {
    const receiver = await opened(openOtlpReceiver());
    const telemetry = await open("edge", { otlpUrl: receiver.url });
    const good = `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`;
    expect(telemetry.span("x", { kind: "consumer", traceparent: good }).traceparent).toContain("ab".repeat(16));
    const bad = fc.oneof(
      fc.string(),
      fc.constantFrom(good.toUpperCase(), `${good}-x`, good.slice(1), `00-${"0".repeat(32)}-${"cd".repeat(8)}-01`),
    );
    fc.assert(
      fc.property(bad, (traceparent) => {
        const span = telemetry.span("x", { kind: "consumer", traceparent });
        expect(span.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
        expect(span.traceparent).not.toContain("0".repeat(32));
        expect(span.traceparent).not.toContain("ab".repeat(16));
      }),
      { numRuns: 300 },
    );
  });
});
