import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigError } from "../core/errors.ts";

/** Requests and connections that are answered at once, and how long one may dawdle. */
const MAX_CONNECTIONS = 16;
const REQUEST_TIMEOUT_MILLIS = 5000;

export interface MetricsAddress {
  /** Default 127.0.0.1: metrics name nodes and agents, so they stay on the machine unless told otherwise. */
  readonly host: string;
  readonly port: number; // 0 = any free one
}

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `GET /metrics` and nothing else. */
export async function startMetricsServer(
  { host, port }: MetricsAddress,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.method === "GET" && request.url?.split("?")[0] === "/metrics") return answer(request, response);
    response.writeHead(404).end();
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MILLIS;
  server.headersTimeout = REQUEST_TIMEOUT_MILLIS;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new ConfigError(
      "METRICS_LISTEN_FAILED",
      `metrics cannot be served on ${host}:${port}: ${code}. Choose another with --metrics PORT.`,
      { cause },
    );
  }
  server.unref();
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
