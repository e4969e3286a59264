import type { ChatMessage } from "./prompt.ts";

/** How the reply is to be written: any JSON object, or one of a JSON schema. */
export type ReplyFormat = "json" | { readonly name: string; readonly schema: object };

/** What a request to this server leaves out or spells otherwise, because the server refuses it. */
export interface RequestShape {
  readonly hasJsonSchema: boolean;
  readonly hasResponseFormat: boolean; // json_object, where no schema goes
  readonly hasStreamOptions: boolean;
  readonly hasTemperature: boolean;
  readonly limitName: "max_tokens" | "max_completion_tokens";
  readonly hasSystemRole: boolean;
}

/** As OpenAI documents it, and as vLLM, Ollama and llama.cpp take it. */
export const FULL_SHAPE: RequestShape = {
  hasJsonSchema: true,
  hasResponseFormat: true,
  hasStreamOptions: true,
  hasTemperature: true,
  limitName: "max_tokens",
  hasSystemRole: true,
};

/**
 * What servers say of a parameter that they do not take, and the request without it. LM Studio knows no `json_object`, OpenAI's reasoning
 * models neither `max_tokens` nor a temperature, Gemma's chat template no system role.
 */
const CURES: readonly { readonly words: RegExp; readonly change: Partial<RequestShape> }[] = [
  { words: /stream_?options|include_usage/i, change: { hasStreamOptions: false } },
  { words: /max_completion_tokens/i, change: { limitName: "max_completion_tokens" } },
  { words: /temperature/i, change: { hasTemperature: false } },
  { words: /system (role|message|prompt)|roles must alternate/i, change: { hasSystemRole: false } },
];

const FORMAT_WORDS = /response_?format|json_?(object|schema)|json.?mode|structured output|guided.?(json|decoding)|grammar/i;

/** The next shape to try after a refusal in the server's `words`; undefined if they name nothing that the shape still has. */
export function shapeWithout(shape: RequestShape, format: ReplyFormat, words: string): RequestShape | undefined {
  if (FORMAT_WORDS.test(words)) {
    if (format !== "json" && shape.hasJsonSchema) return { ...shape, hasJsonSchema: false };
    if (shape.hasResponseFormat) return { ...shape, hasResponseFormat: false };
  }
  for (const { words: named, change } of CURES) {
    const isNew = Object.entries(change).some(([key, value]) => shape[key as keyof RequestShape] !== value);
    if (isNew && named.test(words)) return { ...shape, ...change };
  }
  return undefined;
}

/** A shape without this format; undefined if it has none already. */
export function withoutFormat(shape: RequestShape, format: ReplyFormat): RequestShape | undefined {
  const next = { ...shape, hasJsonSchema: shape.hasJsonSchema && format === "json", hasResponseFormat: false };
  return responseFormat(shape, format).response_format === undefined ? undefined : next;
}

/** The JSON body of a chat completion, streamed. */
export function requestBody(request: {
  readonly shape: RequestShape;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  readonly format: ReplyFormat;
}): string {
  const { shape, model, messages, maxTokens, format } = request;
  return JSON.stringify({
    model,
    messages: shape.hasSystemRole ? messages : [{ role: "user", content: messages.map(({ content }) => content).join("\n\n") }],
    [shape.limitName]: maxTokens,
    ...(shape.hasTemperature ? { temperature: 0 } : {}),
    stream: true,
    ...(shape.hasStreamOptions ? { stream_options: { include_usage: true } } : {}),
    ...responseFormat(shape, format),
  });
}

function responseFormat(shape: RequestShape, format: ReplyFormat): { response_format?: object } {
  if (format !== "json" && shape.hasJsonSchema) return { response_format: { type: "json_schema", json_schema: format } };
  return shape.hasResponseFormat ? { response_format: { type: "json_object" } } : {};
}
