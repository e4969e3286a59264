import type { CloudAnswer, CloudQuery, CloudTextAnswer, CloudTextQuery, Provider } from "../../host/cloud/provider.ts";

/** Answers tick mod 3, counting how often each id was answered. */
export function echoProvider(answer: (query: CloudQuery) => CloudAnswer = echo): Provider & { readonly seen: Map<string, number> } {
  const seen = new Map<string, number>();
  return {
    name: "echo",
    seen,
    async answer(batch) {
      for (const { id } of batch) seen.set(id, (seen.get(id) ?? 0) + 1);
      return batch.map(answer);
    },
  };
}

/** Answers text as told, and sensor asks like the echo. */
export const textProvider = (answer: (query: CloudTextQuery) => CloudTextAnswer): Provider => ({
  ...echoProvider(),
  answerText: async (batch) => batch.map(answer),
});

/** Tick mod 3, at three quarters. */
export const echo = (asked: CloudQuery): CloudAnswer => ({ ok: true, label: asked.tick % 3, confidence: 0.75, model: "echo" });
