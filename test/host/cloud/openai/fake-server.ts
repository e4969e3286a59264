import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that the server got. */
export interface Heard {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly stream: boolean;
    readonly messages: readonly { role: string; content: string }[];
  } & Readonly<Record<string, unknown>>;
}

export interface ModelServer {
  readonly baseUrl: string;
  readonly heard: Heard[];
  /** How the next requests are answered. */
  respond(how: (response: ServerResponse, heard: Heard) => void): void;
  close(): Promise<void>;
}

/** A real HTTP server on a free loopback port that speaks the chat-completions protocol as a test tells it to. */
export async function startModelServer(): Promise<ModelServer> {
  const heard: Heard[] = [];
  let respond: (response: ServerResponse, heard: Heard) => void = (response) => streamed(response, '{"label":"walk","confidence":0.9}');
  const server = createServer((request: IncomingMessage, response) => {
    let text = "";
    request.on("data", (part: Buffer) => {
      text += part;
    });
    request.on("end", () => {
      const one = { path: request.url ?? "", authorization: request.headers.authorization, body: JSON.parse(text) as Heard["body"] };
      heard.push(one);
      respond(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    heard,
    respond(how) {
      respond = how;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Streams a text as OpenAI does, a few characters an event, cut into packets that do not end where events end. */
export function streamed(
  response: ServerResponse,
  text: string,
  usage: object | undefined = { prompt_tokens: 200, completion_tokens: 12 },
): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const events = [...(text.match(/.{1,5}/gsu) ?? [])].map((content) => ({ choices: [{ index: 0, delta: { content } }] }));
  const all = [...events, ...(usage ? [{ choices: [], usage }] : [])].map((event) => `data: ${JSON.stringify(event)}\n\n`);
  const whole = Buffer.from(`: a comment\n\n${all.join("")}data: [DONE]\n\n`);
  for (let at = 0; at < whole.length; at += 17) response.write(whole.subarray(at, at + 17));
  response.end();
}
