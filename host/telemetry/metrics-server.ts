import { createServer, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ConfigError } from "../core/system/errors.ts";
import { hostText, type ListenAddress, listenAt } from "../core/system/listen-address.ts";

/** Connections without a whole request: one more ends the oldest of them, so half-open requests keep no scraper out. */
const MAX_UNASKED = 16;
/** All connections, those that are being answered included. */
const MAX_CONNECTIONS = 64;
/** How long a request may take to come whole, and how often that is looked at. */
const REQUEST_TIMEOUT_MILLIS = 5000;
const CHECK_MILLIS = 1000; // Node's own default is 30 s

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `GET /metrics` and nothing else. If `answer` throws, the scrape gets a 500. */
export async function startMetricsServer(
  { host, port }: ListenAddress,
  answer: (response: ServerResponse) => void,
): Promise<MetricsServer> {
  const unasked = new Set<Socket>(); // oldest first
  const server = createServer({ connectionsCheckingInterval: CHECK_MILLIS }, (request, response) => {
    unasked.delete(request.socket);
    response.once("close", () => request.socket.destroyed || unasked.add(request.socket));
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") return response.writeHead(404).end();
    try {
      answer(response);
    } catch {
      response.writeHead(500).end();
    }
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MILLIS;
  server.headersTimeout = REQUEST_TIMEOUT_MILLIS;
  server.setTimeout(REQUEST_TIMEOUT_MILLIS, (socket) => socket.destroy()); // one that does not read what it asked for
  server.on("connection", (socket: Socket) => {
    unasked.add(socket);
    socket.once("close", () => unasked.delete(socket));
    if (unasked.size > MAX_UNASKED) for (const oldest of unasked) return oldest.destroy();
  });
  let bound: number;
  try {
    bound = await listenAt(server, { host, port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new ConfigError(
      "METRICS_LISTEN_FAILED",
      `metrics cannot be served on ${host}:${port}: ${code}. Choose another with --metrics PORT.`,
      { cause },
    );
  }
  server.unref();
  return {
    url: `http://${hostText(host)}:${bound}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
