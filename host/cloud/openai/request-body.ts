import type { ChatMessage } from "./prompt.ts";

/** What a request to this server leaves out or spells otherwise, because the server refuses it. */
export interface RequestShape {
  readonly hasResponseFormat: boolean;
  readonly hasStreamOptions: boolean;
  readonly hasTemperature: boolean;
  readonly limitName: "max_tokens" | "max_completion_tokens";
  readonly hasSystemRole: boolean;
}

/** As OpenAI documents it, and as vLLM, Ollama and llama.cpp take it. */
export const FULL_SHAPE: RequestShape = {
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
  { words: /response_?format|json_object|json.?mode|structured output|guided.?(json|decoding)/i, change: { hasResponseFormat: false } },
  { words: /stream_?options|include_usage/i, change: { hasStreamOptions: false } },
  { words: /max_completion_tokens/i, change: { limitName: "max_completion_tokens" } },
  { words: /temperature/i, change: { hasTemperature: false } },
  { words: /system (role|message|prompt)|roles must alternate/i, change: { hasSystemRole: false } },
];

/** The next shape to try after a refusal in the server's `words`; undefined if they name nothing that the shape still has. */
export function shapeWithout(shape: RequestShape, words: string): RequestShape | undefined {
  for (const { words: named, change } of CURES) {
    const isNew = Object.entries(change).some(([key, value]) => shape[key as keyof RequestShape] !== value);
    if (isNew && named.test(words)) return { ...shape, ...change };
  }
  return undefined;
}

/** The JSON body of a chat completion, streamed. */
export function requestBody(shape: RequestShape, model: string, messages: readonly ChatMessage[], maxTokens: number): string {
  return JSON.stringify({
    model,
    messages: shape.hasSystemRole ? messages : [{ role: "user", content: messages.map(({ content }) => content).join("\n\n") }],
    [shape.limitName]: maxTokens,
    ...(shape.hasTemperature ? { temperature: 0 } : {}),
    stream: true,
    ...(shape.hasStreamOptions ? { stream_options: { include_usage: true } } : {}),
    ...(shape.hasResponseFormat ? { response_format: { type: "json_object" } } : {}),
  });
}
