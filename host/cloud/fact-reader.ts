import type { CloudTextAnswer, CloudTextQuery, Provider } from "./provider.ts";

/** Letters of a word that count: "walked" and "walking" are one. */
const STEM_CHARS = 4;

/**
 * Answers text asks from the facts that came with them: the fact that shares most words with the question. It knows nothing else; it
 * stands in for a language model in the demo, which runs without a network.
 */
export function createFactReader(): Required<Pick<Provider, "answerText">> {
  return { answerText: async (batch) => batch.map(readFacts) };
}

function readFacts({ question, facts }: CloudTextQuery): CloudTextAnswer {
  const asked = stemsOf(question);
  const scores = facts.map(({ name, text }) => stemsOf(`${name} ${text}`).filter((stem) => asked.includes(stem)).length);
  const most = Math.max(0, ...scores);
  const fact = most === 0 ? undefined : facts[scores.indexOf(most)];
  const reply =
    fact === undefined
      ? ({ kind: "unknown", text: "I was told nothing about that." } as const)
      : ({ kind: "say", text: fact.text } as const);
  return { ok: true, reply, model: "fact-reader" };
}

function stemsOf(text: string): string[] {
  return (text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).map((word) => word.slice(0, STEM_CHARS));
}
