import type { ServerResponse } from "node:http";
import type { Clock } from "../core/system/clock.ts";
import type { ByeMessage, LostMessage } from "./messages.ts";

/** Pages at once. */
export const MAX_CLIENTS = 32;
/** What may wait for one client. Messages beyond it are left out, and the client is told how many. */
const MAX_BACKLOG_BYTES = 1_048_576;
/** A client that has read nothing for so long is let go. */
const STUCK_MILLIS = 30_000;
/** A comment so often keeps proxies from closing an idle stream, and finds out who has gone. */
const HEARTBEAT_MILLIS = 15_000;

interface Client {
  readonly response: ServerResponse;
  readonly node: string | undefined; // whose page it is; undefined: of all
  lost: number; // messages left out since the last one that went out
  cancelStuck: () => void;
}

export interface StreamClients {
  readonly size: number;
  /** Messages that were left out, over all clients. */
  readonly lost: number;
  /** Takes a client over, and sends it `hello`; refuses it with a reason if there are too many. */
  add(response: ServerResponse, node?: string): void;
  /** Sends a message to all, or to the pages that it `isFor`. */
  send(event: string, data: unknown, isFor?: (node: string | undefined) => boolean): void;
  /** Says why the stream ends, and ends it. */
  close(reason: string): void;
}

/** Clients of a stream of server-sent events. `hello` gives the messages that bring a page up to date, of all nodes or of one. */
export function createStreamClients(
  clock: Clock,
  hello: (node: string | undefined) => readonly (readonly [event: string, data: unknown])[],
): StreamClients {
  const clients = new Set<Client>();
  let lost = 0;
  let cancelBeat = () => {};

  const drop = (client: Client): void => {
    client.cancelStuck();
    clients.delete(client);
    client.response.destroy();
    if (clients.size === 0) cancelBeat();
  };
  const catchUp = (client: Client): void => {
    client.cancelStuck();
    if (client.lost === 0) return;
    client.response.write(eventText("lost", { messages: client.lost } satisfies LostMessage));
    client.lost = 0;
    greet(client);
  };
  const greet = ({ response, node }: Client): void => {
    for (const [event, data] of hello(node)) response.write(eventText(event, data));
  };
  const write = (client: Client, text: string): void => {
    if (client.lost > 0 || client.response.writableLength > MAX_BACKLOG_BYTES) {
      if (client.lost++ === 0) client.cancelStuck = clock.after(STUCK_MILLIS, () => drop(client));
      lost++;
    } else client.response.write(text);
  };
  const beat = (): void => {
    for (const client of clients) write(client, ":\n\n");
    cancelBeat = clock.after(HEARTBEAT_MILLIS, beat);
  };

  return {
    get size() {
      return clients.size;
    },
    get lost() {
      return lost;
    },
    add(response, node) {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
      if (clients.size >= MAX_CLIENTS) {
        const reason = `${MAX_CLIENTS} pages are open, and no more are served. Close one, then reload this page.`;
        response.end(eventText("bye", { reason } satisfies ByeMessage));
        return;
      }
      const client: Client = { response, node, lost: 0, cancelStuck: () => {} };
      clients.add(client);
      response.on("drain", () => catchUp(client));
      response.on("close", () => drop(client));
      response.on("error", () => drop(client));
      if (clients.size === 1) cancelBeat = clock.after(HEARTBEAT_MILLIS, beat);
      greet(client);
    },
    send(event, data, isFor = () => true) {
      const meant = [...clients].filter(({ node }) => isFor(node));
      if (meant.length === 0) return;
      const text = eventText(event, data);
      for (const client of meant) write(client, text);
    },
    close(reason) {
      cancelBeat();
      for (const client of clients) {
        client.cancelStuck();
        client.response.end(eventText("bye", { reason } satisfies ByeMessage));
      }
    },
  };
}

/** One message: JSON has no line breaks. */
function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
