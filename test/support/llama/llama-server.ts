import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { LlamaGrammar, LlamaPackage } from "./import-llama.ts";

/** The fields of a chat completion's request that the server obeys. */
interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens?: number;
  readonly stream?: boolean;
  readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema: object } };
}

export interface LlamaServer {
  readonly baseUrl: string;
  readonly heard: readonly ChatRequest[];
  close(): Promise<void>;
}

/**
 * llama.cpp as an OpenAI-compatible server on a free loopback port: chat completions, streamed or whole, one after the other, under the
 * grammar of the request's JSON schema. `gbnf` takes that grammar's place: a model of 260 K parameters cannot copy what a test needs
 * in the reply, but samples it under a grammar.
 */
export async function startLlamaServer(
  { getLlama, LlamaCompletion }: LlamaPackage,
  options: { readonly modelPath: string; readonly contextSize?: number; readonly gbnf?: string },
): Promise<LlamaServer> {
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: 1 });
  const model = await llama.loadModel({ modelPath: options.modelPath });
  const sequence = (await model.createContext({ contextSize: options.contextSize ?? 2048 })).getSequence();
  const completion = new LlamaCompletion({ contextSequence: sequence });
  const heard: ChatRequest[] = [];
  let last: Promise<unknown> = Promise.resolve();

  function grammarOf({ response_format: format }: ChatRequest): Promise<LlamaGrammar> | undefined {
    if (options.gbnf !== undefined) return llama.createGrammar({ grammar: options.gbnf });
    if (format?.type === "json_schema") return llama.createGrammarForJsonSchema(format.json_schema!.schema);
    return undefined;
  }

  async function complete(request: ChatRequest, response: ServerResponse): Promise<void> {
    const prompt = request.messages.map(({ role, content }) => `${role}: ${content}\n`).join("");
    const grammar = await grammarOf(request);
    const send = (value: object) => response.write(`data: ${JSON.stringify(value)}\n\n`);
    let content = "";
    if (request.stream === true) response.writeHead(200, { "content-type": "text/event-stream" });
    await sequence.clearHistory();
    const { metadata } = await completion.generateCompletionWithMeta(prompt, {
      maxTokens: request.max_tokens ?? 256,
      temperature: 0,
      ...(grammar && { grammar }),
      onTextChunk(text) {
        content += text;
        if (request.stream === true) send({ choices: [{ index: 0, delta: { content: text } }] });
      },
    });
    const finish_reason = metadata.stopReason === "maxTokens" ? "length" : "stop";
    const usage = { prompt_tokens: model.tokenize(prompt).length, completion_tokens: model.tokenize(content).length };
    if (request.stream !== true) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content }, finish_reason }], usage }));
      return;
    }
    send({ choices: [{ index: 0, delta: {}, finish_reason }] });
    send({ choices: [], usage });
    response.end("data: [DONE]\n\n");
  }

  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => {
      body += part;
    });
    request.on("end", () => {
      const asked = JSON.parse(body) as ChatRequest;
      heard.push(asked);
      last = last
        .then(() => complete(asked, response))
        .catch(
          (error: Error) => response.writableEnded || response.end(`data: ${JSON.stringify({ error: { message: error.message } })}\n\n`),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    heard,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await last;
      await llama.dispose();
    },
  };
}
