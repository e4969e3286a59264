import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A collector: takes OTLP over HTTP as JSON and keeps it. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Names of the metrics that were pushed. */
  readonly metrics: Set<string>;
  readonly bodies: string[];
  close(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface Resource {
  readonly attributes: readonly Attribute[];
}
interface TraceBody {
  readonly resourceSpans: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly {
      readonly spans: readonly { name: string; traceId: string; spanId: string; parentSpanId?: string; attributes: readonly Attribute[] }[];
    }[];
  }[];
}
interface MetricBody {
  readonly resourceMetrics: readonly { readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[] }[];
}

export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics = new Set<string>();
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString("latin1");
    });
    request.on("end", () => {
      bodies.push(body);
      if (request.url === "/v1/traces") spans.push(...spansOf(JSON.parse(body) as TraceBody));
      else if (request.url === "/v1/metrics") for (const name of namesOf(JSON.parse(body) as MetricBody)) metrics.add(name);
      response.writeHead(request.url?.startsWith("/v1/") ? 200 : 404, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ spans, metrics, bodies },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function spansOf({ resourceSpans }: TraceBody): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, traceId, spanId, parentSpanId, attributes }) => ({
        service: String(valuesOf(resource.attributes)["service.name"]),
        ...{ name, traceId, spanId, parentSpanId: parentSpanId || undefined, attributes: valuesOf(attributes) },
      })),
    ),
  );
}

function namesOf({ resourceMetrics }: MetricBody): string[] {
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name)));
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
