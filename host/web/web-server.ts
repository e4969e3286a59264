import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import { hostname } from "node:os";
import { ConfigError, DormouseError } from "../core/system/errors.ts";
import { hostText, type ListenAddress, listenAt } from "../core/system/listen-address.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { isLoopback, isOwnHost, isOwnOrigin, isSameSecret, readCookie, readJson } from "./request-guard.ts";

const MAX_CONNECTIONS = 128;
const REQUEST_TIMEOUT_MILLIS = 5000;
const MAX_BODY_BYTES = 4096;
const TOKEN_BYTES = 18;

/** No request leaves the page's own server; no other page may frame it. */
const HEADERS = {
  "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** What a POST may do: the parsed body in, JSON out. Throws a DormouseError for what cannot be done. */
export type Act = (body: Readonly<Record<string, unknown>>) => unknown;

export interface WebServerOptions {
  readonly address: ListenAddress;
  /** Takes a page's stream of events. Left out: there is none. */
  readonly onStream?: (response: ServerResponse, query: URLSearchParams) => void;
  /** By path. Default: the dashboard's. */
  readonly files?: ReadonlyMap<string, PageFile>;
  /** Serves over https with this key (PEM), and lets the printed token in once: later visitors are told to start anew. */
  readonly once?: { readonly certificate: string; readonly privateKey: string };
  /** Longest body of a POST. Default 4096. */
  readonly mostBodyBytes?: number;
  /** By name: POST act/<name>. */
  readonly acts: Readonly<Record<string, Act>>;
}

export interface WebServer {
  /** With the token, if one is needed. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page, its stream and its acts. Without a token only on the machine itself; elsewhere every request needs the printed token,
 * once, and then a cookie. A request must name this server in `Host`, and one that changes something must come from our own page.
 */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const { address, onStream, acts, once, files = readPageFiles(), mostBodyBytes = MAX_BODY_BYTES } = options;
  const { host, port } = address;
  const token = isLoopback(host) && once === undefined ? undefined : randomBytes(TOKEN_BYTES).toString("base64url");
  const session = once ? randomBytes(TOKEN_BYTES).toString("base64url") : (token ?? ""); // a used code is no key
  const names = [host.toLowerCase(), hostname().toLowerCase()];
  let cookie = "";
  let isUsed = false;

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof DormouseError) refuse(response, 409, error.message);
      else refuse(response, 500, "the server failed to answer.");
    });
  };
  const server = once ? createSecureServer({ cert: once.certificate, key: once.privateKey }, listener) : createServer(listener);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOwnHost(request.headers.host, names)) return refuse(response, 403, "this server does not go by that name. Use its address.");
    const [path = "/", query] = (request.url ?? "/").split("?", 2);
    if (token !== undefined) {
      const given = new URLSearchParams(query).get("token") ?? undefined;
      const isKnown = isSameSecret(readCookie(request, cookie), session);
      if (isSameSecret(given, token)) {
        if (isUsed && once && !isKnown)
          return refuse(response, 401, "this code was used before: it opens the page once. Start the capture again for a new one.");
        isUsed = true;
        const parts = `HttpOnly; SameSite=Strict; Path=/${once ? "; Secure" : ""}`;
        response.writeHead(303, { location: path, "set-cookie": `${cookie}=${session}; ${parts}` }).end();
        return;
      }
      if (!isKnown) return refuse(response, 401, "open the address that was printed at the start: it has the token.");
    }
    if (request.method === "POST") return act(request, response, path);
    if (request.method !== "GET") return refuse(response, 405, "only GET and POST are answered.");
    if (path === "/events" && onStream) {
      request.socket.setTimeout(0); // a stream is open for as long as its page
      return onStream(response, new URLSearchParams(query));
    }
    const file = files.get(path);
    if (file === undefined) return refuse(response, 404, "there is no such page.");
    const isGzipped = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    response.writeHead(200, { "content-type": file.type, "cache-control": "no-cache", ...(isGzipped && { "content-encoding": "gzip" }) });
    response.end(isGzipped ? file.gzipped : file.body);
  }

  async function act(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (!isOwnOrigin(request.headers.origin, request.headers.host))
      return refuse(response, 403, "a change must come from this server's own page.");
    const run = path.startsWith("/act/") && Object.hasOwn(acts, path.slice(5)) ? acts[path.slice(5)] : undefined;
    if (run === undefined) return refuse(response, 404, "there is no such act.");
    const body = await readJson(request, mostBodyBytes);
    if (body === undefined) return refuse(response, 400, `the body must be a JSON object of at most ${mostBodyBytes} B.`);
    const result = await run(body);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result ?? {}));
  }

  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MILLIS;
  server.headersTimeout = REQUEST_TIMEOUT_MILLIS;
  server.setTimeout(REQUEST_TIMEOUT_MILLIS * 2, (socket: Socket) => socket.destroy());
  let bound: number;
  try {
    bound = await listenAt(server, address);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new ConfigError(
      "HTTP_LISTEN_FAILED",
      `the page cannot be served on ${hostText(host)}:${port}: ${code}. Choose another with --http PORT, or use --no-http.`,
      { cause },
    );
  }
  server.unref();
  cookie = `dormouse-${bound}`; // cookies of one host are shared by its ports
  return {
    url: `${once ? "https" : "http"}://${hostText(host)}:${bound}/${token === undefined ? "" : `?token=${token}`}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 200).unref(); // what is under way may end
      }),
  };
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${reason}\n`);
}
